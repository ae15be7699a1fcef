// Package structured runs concurrent tasks in groups that cannot leak, and
// coordinates them with primitives that take a context.
package structured
