package main

import "slices"

// cases is everything there is to measure, in the order of printing.
var cases = slices.Concat(
	attrCases,
	memoryCases,
	bufferedCases,
	socketCases,
	tcpCases,
	unixCases,
	udpCases,
	relayCases,
	tlsCases,
	quicCases,
	structuredCases,
	processCases,
	raceCases,
)
