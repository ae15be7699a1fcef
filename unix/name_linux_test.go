package unix_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/unix"
)

func TestNamesAreBytes(t *testing.T) {
	dir := filepath.Dir(place(t))
	t.Chdir(dir)
	long := dir + "/" + strings.Repeat("n", 107-len(dir)-1)
	for _, tt := range []struct{ name, in, file string }{
		{"a path", dir + "/plain", dir + "/plain"},
		{"not UTF-8", dir + "/\xf0\x28", dir + "/\xf0\x28"},
		{"not clean", dir + "//./twice", dir + "//./twice"},
		{"relative", "relative", "relative"},
		{"a file whose name begins with an at sign", "./@at", "@at"},
		{"107 bytes", long, long},
		{"abstract with an at sign", "@strata-" + filepath.Base(dir), ""},
		{"abstract with a NUL", "\x00strata0-" + filepath.Base(dir), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ln := listen(t, tt.in, nil)
			conn, err := unix.Dial(t.Context(), tt.in, nil)
			require.NoError(t, err)
			require.NoError(t, conn.Close())
			conn, err = unix.Dial(t.Context(), nameOf(ln), nil)
			require.NoError(t, err, "by the name that LocalAddr tells")
			require.NoError(t, conn.Close())
			if tt.file != "" {
				_, err = os.Lstat(tt.file)
				require.NoError(t, err)
				require.NoError(t, ln.Close())
				assert.NoFileExists(t, tt.file)
			}
		})
	}
}

func TestNamesThatNoSocketCanHaveAreErrors(t *testing.T) {
	long := "/" + strings.Repeat("n", 107)
	for _, tt := range []struct {
		name, in string
		want     error
	}{
		{"108 bytes", long, syscall.ENAMETOOLONG},
		{"108 bytes, abstract", "@" + long[1:], syscall.ENAMETOOLONG},
		{"NUL in a path", "/tmp/a\x00b", syscall.EINVAL},
		{"NUL in an abstract name", "@a\x00b", syscall.EINVAL},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := unix.Listen(t.Context(), tt.in, nil)
			require.ErrorIs(t, err, tt.want)
			var nameErr *unix.NameError
			require.ErrorAs(t, err, &nameErr)
			_, err = unix.Dial(t.Context(), tt.in, nil)
			require.ErrorIs(t, err, tt.want)
			_, err = unix.ListenPacket(t.Context(), tt.in, nil)
			require.ErrorIs(t, err, tt.want)
			_, err = unix.DialSeqpacket(t.Context(), tt.in, nil)
			require.ErrorIs(t, err, tt.want)
		})
	}
	_, err := unix.Dial(t.Context(), long, nil)
	assert.ErrorContains(t, err, "name of 108 bytes is longer than 107")
	_, err = unix.Dial(t.Context(), "", nil)
	assert.ErrorContains(t, err, "empty name")
}

func TestEmptyNameListensAtAnAbstractOne(t *testing.T) {
	first, second := listen(t, "", nil), listen(t, "", nil)
	assert.Regexp(t, "^@", nameOf(first))
	assert.NotEqual(t, nameOf(first), nameOf(second))
}

func TestPeerWithoutANameHasAnEmptyOne(t *testing.T) {
	a, b := connected(t)
	remote, err := unix.RemoteAddr.Get(b)
	require.NoError(t, err)
	assert.Empty(t, remote.String())
	remote, err = unix.RemoteAddr.Get(a)
	require.NoError(t, err)
	assert.Regexp(t, "^@.", remote.String())
}

func TestDialedConnHasItsLocalName(t *testing.T) {
	name := place(t)
	ln := listen(t, "", nil)
	conn, err := unix.Dial(t.Context(), nameOf(ln), &unix.DialConfig{LocalName: name})
	require.NoError(t, err)
	defer conn.Close()
	peer, err := ln.Accept(t.Context())
	require.NoError(t, err)
	defer peer.Close()
	remote, err := unix.RemoteAddr.Get(peer)
	require.NoError(t, err)
	assert.Equal(t, name, remote.String())
	require.FileExists(t, name)
	require.NoError(t, conn.Close())
	assert.NoFileExists(t, name)
}
