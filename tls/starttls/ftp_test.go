package starttls_test

import (
	"context"
	cryptotls "crypto/tls"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/buffered"
	"github.com/strata-go/strata/internal/peers"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tls"
	"github.com/strata-go/strata/tls/starttls"
)

// An ftpClient is as much of one as the tests need.
type ftpClient struct {
	starttls.FTP
	control *buffered.Stream
}

func (c *ftpClient) command(t *testing.T, ctx context.Context, command, want string) string {
	t.Helper()
	say(t, ctx, c.control, command+"\r\n")
	return c.reply(t, ctx, want)
}

func (c *ftpClient) reply(t *testing.T, ctx context.Context, want string) string {
	t.Helper()
	line, err := c.control.ReceiveUntil(ctx, []byte("\r\n"), 1000)
	require.NoError(t, err)
	require.Contains(t, string(line), want+" ")
	return string(line)
}

// transfer opens a data connection for a command, and has it under TLS.
func (c *ftpClient) transfer(t *testing.T, ctx context.Context, command string) *tls.Conn {
	t.Helper()
	line := c.command(t, ctx, "EPSV", "229") // ...(|||port|)
	_, port, _ := strings.Cut(line, "|||")
	port, _, _ = strings.Cut(port, "|")
	data := dial(t, ctx, "127.0.0.1:"+port)
	c.command(t, ctx, command, "150")
	s, err := c.Data(ctx, c.control, data)
	require.NoError(t, err)
	return s
}

// TestProFTPD uploads a file and downloads it again, over data connections that have to
// resume the session.
func TestProFTPD(t *testing.T) {
	addr := peers.ProFTPD(t, files(t), "secret")
	for name, version := range versions {
		t.Run(name, func(t *testing.T) {
			ctx := limited(t)
			_, cfg := configs(t, version)
			cfg.ClientSessionCache = cryptotls.NewLRUClientSessionCache(4)
			cfg.ServerName = "" // the one that is dialed, for both connections
			c := &ftpClient{FTP: starttls.FTP{TLS: cfg}}
			var err error
			c.control, err = c.Client(ctx, dial(t, ctx, strings.Replace(addr, "127.0.0.1", "localhost", 1)))
			require.NoError(t, err)
			requireTLS(t, c.control)
			list, err := starttls.Capabilities.Get(c.control)
			require.NoError(t, err)
			_, ok := list.Param("EPSV")
			assert.True(t, ok, "%q", list)
			c.command(t, ctx, "USER bob", "331")
			c.command(t, ctx, "PASS secret", "230")
			c.command(t, ctx, "TYPE I", "200")

			content := strings.Repeat("through TLS\n", 5000)
			up := c.transfer(t, ctx, fmt.Sprintf("STOR %d", version))
			say(t, ctx, up, content)
			resumed, err := tls.DidResume.Get(up)
			require.NoError(t, err)
			assert.True(t, resumed)
			require.NoError(t, stream.Shutdown(ctx, up))
			c.reply(t, ctx, "226")

			down := c.transfer(t, ctx, fmt.Sprintf("RETR %d", version))
			assert.True(t, content == rest(ctx, down), "the same that was sent")
			require.NoError(t, down.Close())
			c.reply(t, ctx, "226")
			c.command(t, ctx, "QUIT", "221")
			assertEnds(t, ctx, c.control)
			require.NoError(t, c.control.Close())
		})
	}
	t.Run("another name", func(t *testing.T) {
		ctx := limited(t)
		_, cfg := configs(t, 0)
		cfg.ServerName = "other.example"
		_, err := starttls.FTP{TLS: cfg}.Client(ctx, dial(t, ctx, addr))
		var he *tls.HandshakeError
		require.ErrorAs(t, err, &he)
	})
}

func TestDataOfAControlConnectionInPlaintextIsRefused(t *testing.T) {
	control, _, err := script(t, starttls.FTP{Policy: starttls.Opportunistic}.Client, step{say: "220 ready\r\n"},
		step{hear: "AUTH TLS\r\n"}, step{say: "502 no\r\n"}, step{hear: "FEAT\r\n"}, step{say: "211-x\r\n MDTM\r\n211 end\r\n"})
	require.NoError(t, err)
	data, peer := memory.Pipe(nil)
	_, err = starttls.FTP{}.Data(t.Context(), control, data)
	var e *starttls.UnavailableError
	require.ErrorAs(t, err, &e)
	assert.Empty(t, rest(t.Context(), peer), "and closed")
	_, err = starttls.FTP{}.Data(t.Context(), control, nil)
	require.Error(t, err)
	data, peer = memory.Pipe(nil)
	_, err = starttls.FTP{}.Data(t.Context(), nil, data)
	require.Error(t, err)
	assert.Empty(t, rest(t.Context(), peer), "and closed")
}

func TestServerThatDeniesProtectedDataIsLeft(t *testing.T) {
	_, _, err := script(t, func(ctx context.Context, s stream.ByteStream) (*buffered.Stream, error) {
		_, cfg := configs(t, 0)
		return starttls.FTP{TLS: cfg, Policy: starttls.Opportunistic}.Client(ctx, s)
	}, step{say: "220 ready\r\n"}, step{hear: "AUTH TLS\r\n"}, step{say: "234 go\r\n"}, step{server: true},
		step{hear: "PBSZ 0\r\n"}, step{say: "200 ok\r\n"}, step{hear: "PROT P\r\n"}, step{say: "536 no\r\n"})
	var e *starttls.ReplyError
	require.ErrorAs(t, err, &e)
	assert.Equal(t, "PROT P", e.To)
}
