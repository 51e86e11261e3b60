package hive

// Part is what an attempt gave of its result before its end. It counts if that
// attempt completes.
type Part struct {
	Attempt int    `json:"attempt"`
	Number  int    `json:"number"` // from 1, within the attempt
	Data    []byte `json:"data"`
}

// Progress is how far an attempt is.
type Progress struct {
	Attempt int    `json:"attempt"`
	Done    uint32 `json:"done"`
	Total   uint32 `json:"total"` // 0: nobody knows
	Text    string `json:"text,omitempty"`
}

// Bounds of what one attempt emits.
const (
	MaxPart         = 64 << 10 // bytes
	MaxParts        = 1000
	MaxPartBytes    = 1 << 20 // of all parts
	MaxProgressText = 200     // bytes
)
