-- load.lua: one request, or several in turn, again and again over kept-alive connections, until the time is over.
--     wrk -t1 -s load.lua URL -- SECONDS METHOD BODY-FILE ANSWER < HEADERS
-- HEADERS has a paragraph for each request: lines "NAME: VALUE".
-- Prints "right=N wrong=N": answers that were 200 with the body ANSWER, and everything else that happened.
-- SPDX-License-Identifier: Apache-2.0

local ffi = require("ffi")
ffi.cdef [[
    struct moment { long seconds, nanoseconds; };
    int clock_gettime(int clock, struct moment *now);
    int getpid(void);
    int kill(int process, int signal);
]]
local MONOTONIC, INTERRUPT = 1, 2
local moment = ffi.new("struct moment")
local threads = {}
local answer, deadline

right, wrong = 0, 0 -- global: done() gets them out of the thread

local function now()
    ffi.C.clock_gettime(MONOTONIC, moment)
    return tonumber(moment.seconds) + tonumber(moment.nanoseconds) / 1e9
end

function setup(thread)
    table.insert(threads, thread)
end

local function headers_of(lines)
    local headers = { Host = wrk.headers.Host }
    for name, value in lines:gmatch("([^:\n]+): ([^\n]*)") do
        headers[name] = value
    end
    return headers
end

-- Where there is but one request wrk keeps it; to be asked for it each time would cost a copy of the body.
function init(arguments)
    local file = assert(io.open(arguments[3], "rb"))
    wrk.method, wrk.body = arguments[2], file:read("*a")
    file:close()
    wrk.body = #wrk.body > 0 and wrk.body or nil
    local requests = {}
    for paragraph in (io.read("*a") .. "\n\n"):gmatch("(.-)\n\n") do
        wrk.headers = headers_of(paragraph)
        requests[#requests + 1] = wrk.format()
    end
    if #requests > 1 then
        local at = 0
        function request()
            at = at % #requests + 1
            return requests[at]
        end
    end
    answer = arguments[4]
    deadline = now() + tonumber(arguments[1])
end

-- The load ends right after an answer: with one connection, no request is left half done. The signal wakes wrk's main
-- thread, which sleeps in whole seconds.
function response(status, _, body)
    if status == 200 and body == answer then
        right = right + 1
    else
        wrong = wrong + 1
    end
    if now() >= deadline then
        wrk.thread:stop()
        ffi.C.kill(ffi.C.getpid(), INTERRUPT)
    end
end

function done(summary)
    local errors = summary.errors
    local total_right, total_wrong = 0, errors.connect + errors.read + errors.write + errors.timeout
    for _, thread in ipairs(threads) do
        total_right = total_right + thread:get("right")
        total_wrong = total_wrong + thread:get("wrong")
    end
    io.write(("right=%d wrong=%d\n"):format(total_right, total_wrong))
end
