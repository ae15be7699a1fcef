package streamtest

import "slices"

// oneWayChecks are the checks of a connection in one direction.
func oneWayChecks() []check {
	return slices.Concat(
		dataChecks(),
		answerChecks(),
		cancelChecks(),
		busyChecks(),
		closeChecks(),
		capabilityChecks(),
		stormChecks(),
	)
}

// twoWayChecks are those that need both directions. One-way connections do
// not have what they check.
func twoWayChecks() []check {
	return slices.Concat(
		duplexChecks(),
		halfCloseChecks(),
		sendAnswerChecks(),
		brokenChecks(),
		shutdownChecks(),
		duplexStormChecks(),
	)
}
