package order

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Job is the payload of every task: the job of bench/guests, which sandboxed skills
// do and others pass over. A says when it was made.
type Job struct {
	A    int64  `json:"a"` // µs since 1970
	B    int    `json:"b"`
	Name string `json:"name"`
}

// name makes a payload PayloadSize long.
var name = strings.Repeat("along the road ", 20)

// NewJob returns the payload of the n-th task.
func NewJob(n int) []byte {
	text := fmt.Appendf(nil, `{"a":%d,"b":%d,"name":"`, time.Now().UnixMicro(), n%1000)
	text = append(text, name[:PayloadSize-len(text)-2]...)
	return append(text, '"', '}')
}

// Age is how long ago a payload was made.
func Age(payload []byte) (time.Duration, error) {
	var j Job
	err := json.Unmarshal(payload, &j)
	return time.Since(time.UnixMicro(j.A)), err
}

// Done is what a skill of bench/guests makes of a payload.
func Done(payload []byte) (string, error) {
	var j Job
	err := json.Unmarshal(payload, &j)
	return fmt.Sprintf(`{"sum":%d,"product":%d,"hello":%q}`, j.A+int64(j.B), j.A*int64(j.B), j.Name), err
}
