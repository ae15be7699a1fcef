package tls_test

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	cryptotls "crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/netconn"
	"github.com/strata-go/strata/tls"
)

// The content types of records.
const (
	typeAlert     = 21
	typeHandshake = 22
	typeData      = 23
)

// A rawPeer speaks TLS 1.3 record by record, after crypto/tls did the
// handshake for it: it can say what crypto/tls never would.
type rawPeer struct {
	t        *testing.T
	s        stream.ByteStream
	in, out  rawKeys
	received []byte
}

// rawKeys protect one direction, with TLS_AES_128_GCM_SHA256.
type rawKeys struct {
	secret []byte
	aead   cipher.AEAD
	iv     []byte
	seq    uint64
}

// newRawPeer returns one of our servers and a client that is raw, over a pipe
// of the given configuration.
func newRawPeer(t *testing.T, pipe *memory.Config, opt *tls.Options) (*tls.Conn, *rawPeer) {
	t.Helper()
	return newRawPeerOf(t, "server", pipe, opt)
}

// newRawPeerOf returns one of our clients or servers and the other end, which is
// raw.
func newRawPeerOf(t *testing.T, role string, pipe *memory.Config, opt *tls.Options) (*tls.Conn, *rawPeer) {
	t.Helper()
	server, client := bubbleConfigs(t, tls.VersionTLS13)
	server.SessionTicketsDisabled = true // the first record is then number 0
	var keys bytes.Buffer
	client.KeyLogWriter = &keys
	a, b := memory.Pipe(pipe)
	shaken := make(chan error, 1)
	std, wrap := cryptotls.Client(netconn.From(a), client), func() (*tls.Conn, error) {
		return tls.WrapServer(t.Context(), b, server, opt)
	}
	in, out := "SERVER_TRAFFIC_SECRET_0", "CLIENT_TRAFFIC_SECRET_0"
	if role == "client" {
		std, wrap = cryptotls.Server(netconn.From(a), server), func() (*tls.Conn, error) {
			return tls.WrapClient(t.Context(), b, client, opt)
		}
		in, out = out, in
	}
	go func() { shaken <- std.Handshake() }()
	s, err := wrap()
	require.NoError(t, err)
	require.NoError(t, <-shaken)
	require.Equal(t, cryptotls.TLS_AES_128_GCM_SHA256, std.ConnectionState().CipherSuite)
	p := &rawPeer{t: t, s: a}
	p.in.use(t, secretOf(t, keys.String(), in))
	p.out.use(t, secretOf(t, keys.String(), out))
	return s, p
}

func secretOf(t *testing.T, log, label string) []byte {
	t.Helper()
	for line := range strings.Lines(log) {
		if f := strings.Fields(line); f[0] == label {
			secret, err := hex.DecodeString(f[2])
			require.NoError(t, err)
			return secret
		}
	}
	t.Fatalf("no %s in the key log", label)
	return nil
}

// use begins to protect with the keys of secret (RFC 8446 section 7.3).
func (k *rawKeys) use(t *testing.T, secret []byte) {
	t.Helper()
	block, err := aes.NewCipher(expandLabel(t, secret, "key", 16))
	require.NoError(t, err)
	k.aead, err = cipher.NewGCM(block)
	require.NoError(t, err)
	k.secret, k.iv, k.seq = secret, expandLabel(t, secret, "iv", 12), 0
}

// update goes on to the next keys (RFC 8446 section 7.2).
func (k *rawKeys) update(t *testing.T) { k.use(t, expandLabel(t, k.secret, "traffic upd", 32)) }

func expandLabel(t *testing.T, secret []byte, label string, size int) []byte {
	t.Helper()
	label = "tls13 " + label
	info := binary.BigEndian.AppendUint16(nil, uint16(size))
	info = append(info, byte(len(label)))
	info = append(info, label...)
	out, err := hkdf.Expand(sha256.New, secret, string(append(info, 0)), size)
	require.NoError(t, err)
	return out
}

func (k *rawKeys) nonce() []byte {
	nonce := bytes.Clone(k.iv)
	for i := range 8 {
		nonce[4+i] ^= byte(k.seq >> (56 - 8*i))
	}
	k.seq++
	return nonce
}

// seal returns a record.
func (p *rawPeer) seal(kind byte, content []byte) []byte {
	header := []byte{typeData, 3, 3, 0, 0}
	binary.BigEndian.PutUint16(header[3:], uint16(len(content)+1+16))
	return p.out.aead.Seal(header, p.out.nonce(), append(bytes.Clone(content), kind), header)
}

// keyUpdate returns a record that asks for new keys of the other side's too,
// and goes on to new ones of its own.
func (p *rawPeer) keyUpdate() []byte {
	record := p.seal(typeHandshake, []byte{24, 0, 0, 1, 1})
	p.out.update(p.t)
	return record
}

func (p *rawPeer) send(records ...[]byte) {
	p.t.Helper()
	_, err := p.s.Send(p.t.Context(), bytes.Join(records, nil))
	require.NoError(p.t, err)
}

// next receives a record.
func (p *rawPeer) next(ctx context.Context) (kind byte, content []byte, err error) {
	for len(p.received) < 5 || len(p.received) < 5+int(binary.BigEndian.Uint16(p.received[3:])) {
		buf := make([]byte, 4096)
		n, err := p.s.Receive(ctx, buf)
		if err != nil {
			return 0, nil, err
		}
		p.received = append(p.received, buf[:n]...)
	}
	size := 5 + int(binary.BigEndian.Uint16(p.received[3:]))
	record := p.received[:size:size]
	p.received = p.received[size:]
	plain, err := p.in.aead.Open(nil, p.in.nonce(), record[5:], record[:5])
	if err != nil {
		return 0, nil, fmt.Errorf("record %d of these keys: %w", p.in.seq-1, err)
	}
	kind = plain[len(plain)-1]
	if kind == typeHandshake && plain[0] == 24 {
		p.in.update(p.t)
	}
	return kind, plain[:len(plain)-1], nil
}
