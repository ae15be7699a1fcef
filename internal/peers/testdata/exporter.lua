-- Connects to a port with TLS 1.2 and prints the tls-exporter channel binding, for
-- which it does as Prosody: exporter.lua PORT CA.
local socket, ssl = require("socket"), require("ssl")
local conn = assert(socket.connect("127.0.0.1", tonumber(arg[1])))
conn = assert(ssl.wrap(conn, { mode = "client", protocol = "tlsv1_2", verify = "peer", cafile = arg[2] }))
assert(conn:dohandshake())
local key = assert(conn:exportkeyingmaterial("EXPORTER-Channel-Binding", 32, ""))
print((key:gsub(".", function(c) return string.format("%02x", c:byte()) end)))
conn:close()
