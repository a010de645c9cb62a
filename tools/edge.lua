-- Stands around the transcoder. On the way in it refuses what no node could read. On the way out it makes the node's x-http-status real, and puts what the
-- node could not shape (errors of its gRPC library) into the API's envelope.

local function is_grpc(content_type) -- the same test as Envoy's own
  return content_type == "application/grpc" or string.sub(content_type or "", 1, 17) == "application/grpc+"
end

-- Lengths and first continuation bytes of RFC 3629; nil for text that is not UTF-8.
local function utf8_length(text, at)
  local lead, following = string.byte(text, at, at + 1)
  if lead < 0x80 then return 1 end
  local low, high, length = 0x80, 0xBF, nil
  if lead >= 0xC2 and lead <= 0xDF then length = 2
  elseif lead >= 0xE0 and lead <= 0xEF then
    length = 3
    if lead == 0xE0 then low = 0xA0 elseif lead == 0xED then high = 0x9F end
  elseif lead >= 0xF0 and lead <= 0xF4 then
    length = 4
    if lead == 0xF0 then low = 0x90 elseif lead == 0xF4 then high = 0x8F end
  else return nil end
  if not following or following < low or following > high then return nil end
  for offset = 2, length - 1 do
    local byte = string.byte(text, at + offset)
    if not byte or byte < 0x80 or byte > 0xBF then return nil end
  end
  return length
end

local function is_text(text)
  if string.find(text, "%c") then return false end
  if not string.find(text, "[\128-\255]") then return true end
  local at = 1
  while at <= #text do
    local length = utf8_length(text, at)
    if not length then return false end
    at = at + length
  end
  return true
end

local function unescaped(text)
  return (string.gsub(text, "%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

-- What is wrong with a path and its query, as a key of REFUSALS, or nil.
local function problem(path)
  local text = path
  if string.find(path, "%", 1, true) then text = unescaped(path) end
  if not is_text(text) then return "path_not_text" end
  local query = string.match(path, "%?(.*)$")
  if query then
    for name in string.gmatch(query, "([^&=]+)[^&]*") do
      -- Names that the edge binds by itself (tools/rest_descriptor.py).
      if string.sub(unescaped(name), 1, 5) == "rest_" then return "reserved_parameter" end
    end
  end
  return nil
end

function envoy_on_request(handle)
  local headers = handle:headers()
  if is_grpc(headers:get("content-type")) then
    handle:streamInfo():dynamicMetadata():set("edge", "native", true)
    return
  end
  local path = headers:get(":path")
  if string.sub(path, 1, 10) == "/messages/" then handle:streamInfo():dynamicMetadata():set("edge", "wuts", true) end
  local reason = problem(path)
  if reason then handle:respond({[":status"] = "400"}, reason) end
end

-- Envoy's or our own complaint, in the API's words. It stands in the envelope that Envoy made of it,
-- so what it quotes of the request is escaped already.
local function invalid(envelope)
  local complaint = string.match(envelope, '"message":"(.*)"}}') or ""
  if REFUSALS[complaint] then return REFUSALS[complaint] end
  local name, why = string.match(complaint, 'find field \\"(.-)\\" in the type'), "unknown query parameter"
  name = name or string.match(complaint, 'non%-leaf field \\"(.-)\\"')
  if not name then
    local value
    name, value = string.match(complaint, "^([%w_.]+): invalid value (.-) for type")
    if not name then return REFUSALS["malformed"] end
    name, why = string.gsub(name, "^rest_", ""), "invalid value " .. value
  end
  local template = '{"error":{"code":"validation_error","details":{"%s":"%s"},"message":"%s: %s"}}'
  return string.format(template, name, why, name, why)
end

-- The envelope of the WUTS API, around what one of ours says.
local function for_wuts(envelope)
  local code = string.match(envelope, '"code":"([%w_]+)"') or "internal"
  local message = string.match(envelope, '"message":"(.*)"}}') or ""
  local template = '{"success":false,"error":"%s","error_code":"%s","timestamp":"%s"}'
  return string.format(template, message, string.upper(code), os.date("!%Y-%m-%dT%H:%M:%SZ"))
end

function envoy_on_response(handle)
  local metadata = handle:streamInfo():dynamicMetadata():get("edge") or {}
  if metadata["native"] then return end
  local as_asked = metadata["wuts"] and for_wuts or function(envelope) return envelope end
  local headers = handle:headers()
  local grpc_status = headers:get("grpc-status")
  headers:remove("grpc-status")
  headers:remove("grpc-message")
  headers:remove("grpc-status-details-bin")
  headers:remove("grpc-accept-encoding")
  local status = headers:get("x-http-status")
  if status then
    headers:remove("x-http-status")
    headers:replace(":status", status)
    if status == "204" then
      -- Not one byte may follow a 204: on a kept connection it would be taken for the next answer.
      headers:remove("content-type")
      local body = handle:body()
      if body then body:setBytes("") end
      handle:headers():remove("content-length") -- reading the body yields; headers are fetched anew
    end
  elseif grpc_status and grpc_status ~= "0" then
    local body = UNSHAPED[headers:get(":status")] or UNSHAPED["500"]
    headers:replace("content-type", "application/json")
    handle:body(true):setBytes(as_asked(body))
  elseif headers:get(":status") == "400" then
    local body = handle:body()
    if body then body:setBytes(as_asked(invalid(body:getBytes(0, body:length())))) end
  elseif metadata["wuts"] and headers:get(":status") ~= "200" then
    local body = handle:body()
    if body then body:setBytes(for_wuts(body:getBytes(0, body:length()))) end
  end
end
