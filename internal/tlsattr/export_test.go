package tlsattr

// HashOf is hashOf.
var HashOf = hashOf
