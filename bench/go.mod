module github.com/strata-go/strata/bench

go 1.26.0

require (
	github.com/quic-go/quic-go v0.65.0
	github.com/sourcegraph/conc v0.3.0
	github.com/strata-go/strata v0.0.0
	github.com/stretchr/testify v1.12.1
	go.uber.org/goleak v1.3.0
	golang.org/x/sync v0.24.0
	golang.org/x/sys v0.49.0
)

require (
	github.com/quic-go/quic-go v0.65.0 // indirect
	go.uber.org/atomic v1.7.0 // indirect
	go.uber.org/multierr v1.9.0 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/crypto v0.58.0 // indirect
	golang.org/x/net v0.62.0 // indirect
	golang.org/x/text v0.43.0 // indirect
)

replace github.com/strata-go/strata => ../
