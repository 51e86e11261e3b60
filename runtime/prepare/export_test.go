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

// Choices returns how many selects Prepare replaces in a module, and whether it could
// follow the types of all values in it to the end.
func Choices(wasm []byte) (n int, followed bool) {
	m := &module{options: Options{MaxTable: noLimit}, start: -1, dataCount: -1}
	if m.decode(wasm) != nil {
		return 0, false
	}
	leaves, err := m.findLeaves()
	if err != nil {
		return 0, false
	}
	w := walk{m: m, leaves: leaves}
	followed = true
	for i := range m.bodies {
		m.bodies[i].choose = true
		w.function(i)
		followed = followed && w.r.err == nil && !w.operands.lost
		for _, p := range w.points {
			if p.kind >= chooseF32 {
				n++
			}
		}
	}
	return n, followed
}
