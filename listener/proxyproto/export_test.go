package proxyproto

// Parse is what finds headers, for fuzzing.
var Parse = parse
