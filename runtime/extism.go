package runtime

import "github.com/hive-spore/hive"

// finish takes the result of an Extism plugin from its host module, or why there
// is none.
func (a *attempt) finish(code int32) *hive.Failure {
	if a.Plugin == nil {
		return hive.NewFailure(hive.FailHost, "an Extism plugin was called without its host")
	}
	if n := a.Plugin.ResultSize(); n > a.result.limit {
		return tooLarge(n, a.result.limit)
	}
	result, failure := a.Plugin.Finish(code)
	if failure != "" {
		return hive.NewFailure(hive.FailSkill, failure)
	}
	a.result.bytes = result
	return nil
}

// withMessage adds what a guest said of its failure before it trapped or exited.
func (a *attempt) withMessage(text string) string {
	message := a.message
	if a.Plugin != nil {
		message = a.Plugin.Message()
	}
	if message == "" {
		return text
	}
	return text + ": " + message
}
