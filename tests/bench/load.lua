-- What `make bench` has wrk do. The first word behind `--` says which:
--   page               asks for what the command line names, as fast as it goes
--   post BODY COOKIE … a post after the other, each thread with a form and a cookie of its own, each post with
--                      a one-time key of its own
--   login COUNT STEP   signs in COUNT people in turns, each thread every STEP-th, as a browser does: the form,
--                      then the form sent
-- What came of it is printed as one line of JSON behind the word "load".

local threads = {}

function setup(thread)
   thread:set("number", #threads)
   table.insert(threads, thread)
end

-- Counts of a thread, read in done().
opened, refused = 0, 0

local function encoded(text)
   return (text:gsub("[^%w%-%._]", function(c) return string.format("%%%02X", c:byte()) end))
end

-- A random one-time key, of a count that is never too old.
local function key()
   local digits = {}
   for at = 1, 16 do digits[at] = string.format("%02x", math.random(0, 255)) end
   return "18446744073709551615." .. table.concat(digits)
end

local function sent(path, cookie, body, headers)
   local all = {
      ["Cookie"] = cookie,
      ["Origin"] = "http://" .. wrk.host .. ":" .. wrk.port,
      ["Content-Type"] = "application/x-www-form-urlencoded",
   }
   for name, value in pairs(headers or {}) do all[name] = value end
   return wrk.format("POST", path, all, body)
end

local function poster(kept, cookie)
   local count = 0
   request = function()
      count = count + 1
      local text = "What every post of this benchmark says, a line of some sixty letters " .. count
      return sent("/post", cookie, kept .. "&key=" .. key() .. "&text=" .. encoded(text))
   end
end

-- The hidden fields of the form that goes to /login.
local function fields(page)
   local form = page:match('<form[^>]-action="/login".-</form')
   local found = {}
   for tag in (form or ""):gmatch("<input[^>]*>") do
      local name, value = tag:match('name="([^"]*)"'), tag:match('value="([^"]*)"')
      if tag:find('type="hidden"', 1, true) and name then
         table.insert(found, encoded(name) .. "=" .. encoded(value or ""))
      end
   end
   return table.concat(found, "&")
end

local function signer(people, step)
   local turn, page, cookie = number, nil, nil
   request = function()
      -- Each from an address of their own, as a reverse proxy tells it.
      local from = { ["X-Forwarded-For"] = string.format("10.0.%d.%d", number / 250, number % 250 + 1) }
      if not page then return wrk.format("GET", "/login", from) end
      local name = "member_" .. (turn % people)
      local typed = "&username=" .. name .. "&password=" .. encoded("seven lamps of " .. name:reverse())
      return sent("/login", cookie, fields(page) .. typed, from)
   end
   response = function(status, headers, body)
      if page then
         if status == 303 then opened = opened + 1 else refused = refused + 1 end
         turn, page = turn + step, nil
      elseif status == 200 then
         page = body
         for name, value in pairs(headers) do
            if name:lower() == "set-cookie" then cookie = value:match("^[^;]*") end
         end
      end
   end
end

function init(args)
   math.randomseed(os.time() + 7919 * number)
   if args[1] == "post" then
      poster(args[2 + 2 * number], args[3 + 2 * number])
   elseif args[1] == "login" then
      signer(tonumber(args[2]), tonumber(args[3]))
   else
      local same = wrk.format()
      wrk.request = function() return same end
   end
end

function done(summary, latency, requests)
   local in_all, not_in = 0, 0
   for _, thread in ipairs(threads) do
      in_all, not_in = in_all + thread:get("opened"), not_in + thread:get("refused")
   end
   local errors = summary.errors
   print(string.format(
      'load {"requests":%d,"seconds":%f,"bytes":%d,"p50_ms":%f,"p99_ms":%f,"opened":%d,"refused":%d,'
         .. '"wrong":%d,"broken":%d}',
      summary.requests, summary.duration / 1e6, summary.bytes, latency:percentile(50) / 1000,
      latency:percentile(99) / 1000, in_all, not_in, errors.status,
      errors.connect + errors.read + errors.write + errors.timeout))
end
