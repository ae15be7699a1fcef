package main

import (
	"crypto/x509"
	"fmt"
	"io"

	"github.com/strata-go/strata/attr"
)

// printAttributes writes every fact of p, layer by layer from the outside in.
func printAttributes(w io.Writer, title string, p attr.Provider) {
	fmt.Fprintln(w, title)
	layer := ""
	for e := range attr.All(p) {
		if e.Layer() != layer {
			layer = e.Layer()
			fmt.Fprintf(w, "  %s\n", layer)
		}
		fmt.Fprintf(w, "    %-28s %s\n", e.Name(), describe(e))
	}
}

func describe(e attr.Entry) string {
	value, err := e.Value()
	switch {
	case err != nil:
		return "error: " + err.Error()
	case e.Secret():
		return fmt.Sprintf("(%T, not printed)", value)
	case e.Shadowed():
		return show(value) + " (an outer layer answers first)"
	}
	return show(value)
}

// show is fmt.Sprint, but for values that it makes no sense of.
func show(value any) string {
	switch v := value.(type) {
	case *x509.Certificate:
		return fmt.Sprintf("%v, valid until %s", v.Subject, v.NotAfter.Format("2006-01-02"))
	case []*x509.Certificate:
		return fmt.Sprintf("%d certificates", len(v))
	case [][]*x509.Certificate:
		return fmt.Sprintf("%d chains", len(v))
	}
	return fmt.Sprint(value)
}
