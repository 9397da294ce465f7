/**
 * The store's Lua scripts. Each runs alone and whole on the server (redis.io, "Scripting with Lua": atomicity), and all keys
 * have one `{…}` tag, so that they are in one hash slot. A script reads and compares first and writes last, so that one that
 * refuses has written nothing.
 *
 * Kept: `meta` (hash: id, format, generation, revision, compacted), `entries` (hash: key to "revision created value"), `keys` (sorted
 * set, all scores 0, for order), `log` (stream, id `<revision>-0`: one item a revision), `leases` (hash: name to "epoch expires holder"),
 * `tried:<mutation>` (the newest attempt of a mutation whose first answer was lost; kept for an hour).
 */

// A leader's epoch is its fencing token: whoever holds an older one, or none where somebody leads, is refused.
const FENCE = `
local function fenced(leases, lease, epoch)
  local record = redis.call('HGET', leases, lease)
  local held = record and string.match(record, '^(%d+) ') or '0'
  if held ~= epoch then return held end
end
local function number(meta, field) return tonumber(redis.call('HGET', meta, field) or '0') end
local function text(value) return string.format('%.0f', value) end
`;

// ARGV: lease, epoch, mutation, attempt, since, number of compares, puts and deletes; then key and revision of each compare,
// key and value of each put, key of each delete. An attempt that comes after a later one of the same mutation does nothing:
// it was stuck in a connection that its sender has given up. Gives the revision and which mutation made it: none that is known
// when this one changed nothing, for then the revision is another's.
const TRANSACT = `${FENCE}
local meta, entries, keys, log, leases, tried = unpack(KEYS)
local id, attempt, since = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
if tonumber(redis.call('GET', tried) or '0') >= attempt then return {'superseded'} end
if attempt > 1 then
  redis.call('SET', tried, attempt, 'PX', 3600000)
  if number(meta, 'compacted') > since then return {'forgotten'} end
  for _, item in ipairs(redis.call('XRANGE', log, text(since + 1) .. '-0', '+')) do
    if item[2][2] == id then return {'ok', string.match(item[1], '^%d+'), id} end
  end
end
local held = fenced(leases, ARGV[1], ARGV[2])
if held then return {'fenced', held} end
local at = 9
for compare = 1, tonumber(ARGV[6]) do
  local present = redis.call('HGET', entries, ARGV[at])
  local is = present and string.match(present, '^%d+') or '0'
  if is ~= ARGV[at + 1] then return {'conflict', compare - 1, present or ''} end
  at = at + 2
end
local present = number(meta, 'revision')
local revision = text(present + 1)
local item = {'id', id}
for _ = 1, tonumber(ARGV[7]) do
  local key, value = ARGV[at], ARGV[at + 1]
  local before = redis.call('HGET', entries, key)
  local created = before and string.match(before, '^%d+ (%d+) ') or revision
  redis.call('HSET', entries, key, revision .. ' ' .. created .. ' ' .. value)
  if not before then redis.call('ZADD', keys, 0, key) end
  item[#item + 1] = 'p' .. key
  item[#item + 1] = value
  item[#item + 1] = 'b'
  item[#item + 1] = before or ''
  at = at + 2
end
for _ = 1, tonumber(ARGV[8]) do
  local key = ARGV[at]
  local before = redis.call('HGET', entries, key)
  if before then
    redis.call('HDEL', entries, key)
    redis.call('ZREM', keys, key)
    item[#item + 1] = 'd' .. key
    item[#item + 1] = before
  end
  at = at + 1
end
if #item == 2 then return {'ok', text(present), ''} end
redis.call('XADD', log, revision .. '-0', unpack(item))
redis.call('HSET', meta, 'revision', revision)
return {'ok', revision, id}
`;

// ARGV: where to begin and end (ZRANGEBYLEX), most entries, about the most bytes.
const PAGE = `${FENCE}
local meta, entries, keys = unpack(KEYS)
local reply = {text(number(meta, 'revision')), text(number(meta, 'compacted')), redis.call('ZLEXCOUNT', keys, ARGV[1], ARGV[2])}
local bytes = 0
for _, key in ipairs(redis.call('ZRANGEBYLEX', keys, ARGV[1], ARGV[2], 'LIMIT', 0, ARGV[3])) do
  if bytes > tonumber(ARGV[4]) then break end
  local entry = redis.call('HGET', entries, key)
  bytes = bytes + #entry
  reply[#reply + 1] = key
  reply[#reply + 1] = entry
end
return reply
`;

// ARGV: the revision after which to begin, most items.
const HISTORY = `${FENCE}
local meta, log = unpack(KEYS)
return {text(number(meta, 'revision')), text(number(meta, 'compacted')),
  redis.call('XRANGE', log, text(tonumber(ARGV[1]) + 1) .. '-0', '+', 'COUNT', ARGV[2])}
`;

// ARGV: lease, epoch, the revision to forget, most revisions to forget now.
const COMPACT = `${FENCE}
local meta, log, leases = unpack(KEYS)
local held = fenced(leases, ARGV[1], ARGV[2])
if held then return {'fenced', held} end
local wanted, present, compacted = tonumber(ARGV[3]), number(meta, 'revision'), number(meta, 'compacted')
if wanted > present then return {'future', text(present)} end
if compacted >= wanted then return {'ok', text(compacted)} end
local reached = math.min(wanted, compacted + tonumber(ARGV[4]))
redis.call('HSET', meta, 'compacted', text(reached))
redis.call('XTRIM', log, 'MINID', '=', text(reached + 1) .. '-0')
return {'ok', text(reached)}
`;

// ARGV: name, holder, time to live in ms, what to add to the server's clock. As lease.ts decides, by the server's clock: the only
// one that all askers share.
const ACQUIRE = `
local now = redis.call('TIME')
local nowMs = tonumber(now[1]) * 1000 + math.floor(tonumber(now[2]) / 1000) + tonumber(ARGV[4])
local epoch, expires, holder = 0, 0, ''
local record = redis.call('HGET', KEYS[1], ARGV[1])
if record then
  epoch, expires, holder = string.match(record, '^(%d+) (%d+) (.*)$')
end
if holder ~= ARGV[2] then
  if holder ~= '' and tonumber(expires) > nowMs then return 0 end
  epoch = tonumber(epoch) + 1
end
redis.call('HSET', KEYS[1], ARGV[1], string.format('%d %.0f %s', epoch, nowMs + tonumber(ARGV[3]), ARGV[2]))
return tonumber(epoch)
`;

// ARGV: name, holder.
const RELEASE = `
local record = redis.call('HGET', KEYS[1], ARGV[1])
if not record then return 0 end
local epoch, _, holder = string.match(record, '^(%d+) (%d+) (.*)$')
if holder == ARGV[2] then redis.call('HSET', KEYS[1], ARGV[1], epoch .. ' 0 ') end
return 0
`;

// ARGV: a new store's id, its format. Gives what store.ts calls the origin of the store.
const BEGIN = `
local meta = KEYS[1]
if redis.call('HSETNX', meta, 'id', ARGV[1]) == 1 then
  redis.call('HSET', meta, 'format', ARGV[2], 'generation', 1, 'revision', 0, 'compacted', 0)
end
return redis.call('HMGET', meta, 'format', 'id', 'generation', 'revision', 'compacted')
`;

// ARGV: a revision that the asker has seen. Gives what the store is now, and which mutation made that revision.
const WITNESS = `
local meta, log = unpack(KEYS)
local reply = redis.call('HMGET', meta, 'id', 'generation', 'revision', 'compacted')
local item = redis.call('XRANGE', log, ARGV[1] .. '-0', ARGV[1] .. '-0')[1]
reply[5] = item and item[2][2] or ''
return reply
`;

// ARGV: lease, epoch, the generation that has been lost, the highest revision that anybody has seen, how far to go beyond it.
const RENEW = `${FENCE}
local meta, log, leases = unpack(KEYS)
local held = fenced(leases, ARGV[1], ARGV[2])
if held then return {'fenced', held} end
if number(meta, 'generation') ~= tonumber(ARGV[3]) then return {'ok'} end
local revision = text(math.max(number(meta, 'revision'), tonumber(ARGV[4])) + tonumber(ARGV[5]))
redis.call('XTRIM', log, 'MAXLEN', '=', 0)
redis.call('HSET', meta, 'revision', revision, 'compacted', revision)
redis.call('HINCRBY', meta, 'generation', 1)
return {'ok'}
`;

export const SCRIPTS = {
  transact: TRANSACT,
  page: PAGE,
  history: HISTORY,
  compact: COMPACT,
  acquire: ACQUIRE,
  release: RELEASE,
  begin: BEGIN,
  witness: WITNESS,
  renew: RENEW,
} as const;

export type ScriptName = keyof typeof SCRIPTS;
