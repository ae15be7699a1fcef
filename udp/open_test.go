package udp_test

import (
	"context"
	"errors"
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/udp"
)

func TestCanceledLookupTellsWhy(t *testing.T) {
	enough := errors.New("enough")
	open := map[string]func(ctx context.Context, addr string, cfg *udp.Config) (*udp.Conn, error){
		"Dial": udp.Dial, "Listen": udp.Listen,
	}
	for name, open := range open {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			system := net.DefaultResolver
			defer func() { net.DefaultResolver = system }()
			net.DefaultResolver = &net.Resolver{
				PreferGo: true,
				Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
					cancel(enough)
					<-ctx.Done()
					return nil, ctx.Err()
				},
			}
			_, err := open(ctx, "host.test:53", nil)
			require.ErrorIs(t, err, enough)
			require.ErrorIs(t, err, context.Canceled)
		})
	}
}
