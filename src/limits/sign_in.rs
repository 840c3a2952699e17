//! How often somebody may do what has the threads that hash passwords at work. Sign-ins that fail have
//! bounds of their own.

/// Sign-ups an hour from one address (IPv6: one /64).
pub const JOINS_HOUR_ADDRESS_MAX: usize = 5;
/// Sign-ups a day from one network (IPv4: a /24, IPv6: a /48).
pub const JOINS_DAY_NETWORK_MAX: usize = 20;
/// Sign-ins a minute as one user that succeed: a family that shares an account, or a program that tries out
/// each page, needs fewer.
pub const SIGN_INS_MINUTE_MAX: usize = 20;
/// The same an hour. Each is a line of the user's file.
pub const SIGN_INS_HOUR_MAX: usize = 100;
/// Times an hour that one user may set about choosing another password, each of which is hashed twice.
pub const PASSWORD_CHANGES_HOUR_MAX: usize = 20;

/// Of so many of the web server's workers one is for what hashes passwords, at most: the others stay for what takes
/// milliseconds.
pub const HASHING_PART: usize = 2;

const _: () = assert!(SIGN_INS_MINUTE_MAX < SIGN_INS_HOUR_MAX);
