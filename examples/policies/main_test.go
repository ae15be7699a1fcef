package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestPrintsHowEachClientFared(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out))
	assert.Equal(t, `strict client, modern server: under TLS 1.3, the server can ["SIZE 10000"]
opportunistic client, modern server: under TLS 1.3, the server can ["SIZE 10000"]
strict client, old server: error: starttls: SMTP: the server does not offer TLS
opportunistic client, old server: in plaintext: the server does not offer TLS
`, out.String())
}
