//! The network between the machines: loses, delays, doubles, reorders, and is cut one way or both.

use std::collections::BTreeSet;

use tern::id::NodeId;

use crate::event::Packet;
use crate::random::Random;

/// How bad the network is just now.
#[derive(Debug, Clone, Default)]
pub(crate) struct Net {
    /// Lost packets in a hundred.
    pub(crate) loss: u64,
    /// Packets in a hundred that come twice.
    pub(crate) doubled: u64,
    /// Packets in a hundred that come late, by up to [`Net::late_ms`].
    pub(crate) late: u64,
    pub(crate) late_ms: u64,
    /// From whom nothing comes through to whom.
    pub(crate) cut: BTreeSet<(NodeId, NodeId)>,
}

impl Net {
    /// After how many milliseconds each copy of a packet arrives.
    pub(crate) fn carry(&self, packet: &Packet, random: &mut Random) -> Vec<u64> {
        if self.cut.contains(&(packet.from.node, packet.to.node)) || random.chance(self.loss) {
            return Vec::new();
        }
        let copies = if random.chance(self.doubled) { 2 } else { 1 };
        let delay = |_| {
            let late = if random.chance(self.late) { random.below(self.late_ms + 1) } else { 0 };
            random.between(1, 4) + late
        };
        (0..copies).map(delay).collect()
    }
}
