-- What wrk sends: each line of a file once, in order; grants come from a list of tokens.
-- First argument: the file. Each of its lines is a person, a tab and a body; without a
-- body it is a GET. Each thread takes lines of its own.

local threads = {}

function setup(thread)
  thread:set("number", #threads)
  table.insert(threads, thread)
end

function init(args)
  lines, at, bad = {}, 0, 0
  local many = tonumber(args[2])
  local count = 0
  for line in io.lines(args[1]) do
    if count % many == number then
      table.insert(lines, line)
    end
    count = count + 1
  end
  once = args[3] == "once"
end

function request()
  at = at + 1
  if at > #lines then
    if once then
      used_up = true
    end
    at = 1
  end
  local person, body = lines[at]:match("^([^\t]*)\t(.*)$")
  local headers = { ["X-Person"] = person, ["Content-Type"] = "application/json" }
  if body == "" then
    return wrk.format("GET", nil, headers)
  end
  headers["Authorization"] = wrk.headers["Authorization"]
  return wrk.format("POST", nil, headers, body)
end

function response(status)
  if status ~= 200 then
    bad = bad + 1
  end
end

function done(summary, latency)
  local refused, again = 0, false
  for _, thread in ipairs(threads) do
    refused = refused + thread:get("bad")
    again = again or thread:get("used_up") or false
  end
  local errors = summary.errors
  io.write(string.format(
    "RESULT %d %d %d %d %d %s\n",
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    refused + errors.connect + errors.read + errors.write + errors.timeout,
    again and "again" or "once"))
end
