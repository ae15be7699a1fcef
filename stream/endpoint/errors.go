package endpoint

import (
	"fmt"
	"strings"
)

// A URIError reports a URI that is no endpoint.
type URIError struct {
	URI    string
	Reason string
}

// Error hides what may be a password in the URI.
func (e *URIError) Error() string { return fmt.Sprintf("endpoint: %q: %s", hidden(e.URI), e.Reason) }

// hidden returns uri without what stands before an "@" where a user may.
func hidden(uri string) string {
	scheme, rest, _ := strings.Cut(uri, ":")
	authority := strings.TrimPrefix(rest, "//")
	slash := strings.IndexByte(authority+"/", '/')
	at := strings.LastIndexByte(authority[:slash], '@')
	if at <= 0 {
		return uri
	}
	return scheme + ":" + rest[:len(rest)-len(authority)] + "…" + authority[at:]
}
