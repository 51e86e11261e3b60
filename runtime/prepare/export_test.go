package prepare

// What a test needs to know to count costs by itself.
const (
	CostCall     = costCall
	CostIndirect = costIndirect
	CostBulk     = costBulk
	BytesPerUnit = bytesPerUnit
	Slack        = slack
	Chunk        = chunk
)

// Cost returns what an instruction of one byte costs.
func Cost(op byte) int64 { return costs[op] }
