package proxyproto_test

import (
	"testing"

	"github.com/strata-go/strata/listener/proxyproto"
)

func BenchmarkParse(b *testing.B) {
	for _, tt := range golden {
		wire := []byte(tt.wire(b))
		b.Run(tt.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := proxyproto.Parse(wire); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, tt := range golden {
		b.Run(tt.name, func(b *testing.B) {
			b.ReportAllocs()
			buf := make([]byte, 0, 512)
			for b.Loop() {
				if _, err := tt.header.Append(buf); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkWrapServer has a server take a header and a byte behind it.
func BenchmarkWrapServer(b *testing.B) {
	wire := golden[3].wire(b) + "!"
	b.ReportAllocs()
	for b.Loop() {
		s, err := receive(b, wire)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := s.Receive(b.Context(), make([]byte, 1)); err != nil {
			b.Fatal(err)
		}
	}
}
