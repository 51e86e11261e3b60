package runtime

import (
	"fmt"
	"math"
	"os"
	goruntime "runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mappedImage is an image in memory of the kernel that nobody can change any
// more. Instances map it privately: what they only read they share, a page they
// write to becomes their own.
type mappedImage struct {
	file  *os.File
	bytes []byte // mapped for reading: what changed pages are restored from
	track *tracker
}

// newImage saves a memory. Where the kernel does not let it, the image is a
// plain copy.
func newImage(b []byte) image {
	track := pageTracker()
	if len(b) == 0 || track == nil {
		return newHeapImage(b)
	}
	i, err := newMappedImage(b, track)
	if err != nil {
		return newHeapImage(b)
	}
	return i
}

func newMappedImage(b []byte, track *tracker) (_ *mappedImage, err error) {
	fd, err := unix.MemfdCreate("hive-image", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, fmt.Errorf("memfd_create: %w", err)
	}
	i := &mappedImage{file: os.NewFile(uintptr(fd), "hive-image"), track: track}
	defer func() {
		if err != nil {
			_ = i.close()
		}
	}()
	if err := i.write(b); err != nil {
		return nil, err
	}
	const seals = unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE | unix.F_SEAL_SEAL
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals); err != nil {
		return nil, fmt.Errorf("seal image: %w", err)
	}
	// Not shared: before Linux 6.7 that is refused of what is sealed, even for reading.
	i.bytes, err = unix.Mmap(fd, 0, len(b), unix.PROT_READ, unix.MAP_PRIVATE)
	if err != nil {
		return nil, fmt.Errorf("map image: %w", err)
	}
	return i, nil
}

// write stores the pages that are not zero; the others need no memory.
func (i *mappedImage) write(b []byte) error {
	if err := i.file.Truncate(int64(len(b))); err != nil {
		return fmt.Errorf("size image: %w", err)
	}
	var zero [kernelPage]byte
	for at := 0; at < len(b); at += kernelPage {
		page := b[at : at+kernelPage]
		if [kernelPage]byte(page) == zero {
			continue
		}
		if _, err := i.file.WriteAt(page, int64(at)); err != nil {
			return fmt.Errorf("write image: %w", err)
		}
	}
	return nil
}

func (i *mappedImage) size() uint64 { return uint64(len(i.bytes)) }
func (i *mappedImage) how() string  { return i.track.how }

func (i *mappedImage) close() error {
	if i.bytes != nil {
		_ = unix.Munmap(i.bytes)
		i.bytes = nil
	}
	return i.file.Close()
}

// mappings counts the instances that lie in mappings, three each: a process may have
// so many, and Go needs some itself.
var mappings atomic.Int64

var maxMappings = sync.OnceValue(func() int64 {
	most := int64(65530) // the kernel's default
	if b, err := os.ReadFile("/proc/sys/vm/max_map_count"); err == nil {
		if n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64); err == nil {
			most = n
		}
	}
	return most / 2 / 3
})

// space reserves addresses for all the memory may become and maps the image at
// their beginning. The rest becomes memory as it is grown into. When there are
// too many of those it returns a copy.
func (i *mappedImage) space(limit uint64) (space, error) {
	if mappings.Add(1) > maxMappings() {
		mappings.Add(-1)
		return heap{i.bytes}, nil
	}
	m, err := i.mapping(limit)
	if err != nil {
		mappings.Add(-1)
		return nil, err
	}
	return m, nil
}

func (i *mappedImage) mapping(limit uint64) (*mapping, error) {
	if limit > math.MaxInt {
		return nil, fmt.Errorf("reserve %d bytes: %w", limit, syscall.ENOMEM)
	}
	base, err := unix.Mmap(-1, 0, int(limit), unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE)
	if err != nil {
		return nil, fmt.Errorf("reserve %d bytes: %w", limit, err)
	}
	m := &mapping{image: i, base: base, ready: i.size()}
	// A huge page would be zeroed whole for the first byte that is written.
	_ = unix.Madvise(base, unix.MADV_NOHUGEPAGE)
	at := unsafe.Pointer(unsafe.SliceData(base))
	if _, err := unix.MmapPtr(int(i.file.Fd()), 0, at, uintptr(i.size()),
		unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_FIXED); err != nil {
		_ = unix.Munmap(base)
		return nil, fmt.Errorf("map image: %w", err)
	}
	return m, nil
}

// mapping is the space of one instance.
//
//	base |#### image, private ####|.... zero, grown into ....|  reserved  |
//	     0                        len(image)                 ready        len(base)
type mapping struct {
	image *mappedImage
	base  []byte
	ready uint64 // bytes that can be read and written
	high  uint64 // the most that was ever grown into
	own   pages  // all that were ever written to, as of the last reset
}

func (m *mapping) grow(_ []byte, size, limit uint64) []byte {
	if size > m.ready {
		to := min(limit, size+size/4, uint64(len(m.base)))
		to = max(size, to/kernelPage*kernelPage)
		if unix.Mprotect(m.base[m.ready:to], unix.PROT_READ|unix.PROT_WRITE) != nil {
			return nil
		}
		m.ready = to
	}
	m.high = max(m.high, size)
	return m.base[:size]
}

// trimAbove is how much an instance may hold of its own after an attempt, or have
// grown by. Above it the kernel takes the pages back, which costs more than
// copying them but is little beside what the attempt did.
const trimAbove = 16 << 20

// reset finds the pages that the instance ever wrote to and puts back what they
// held. They stay its own, so that the next attempt need not fault on them.
func (m *mapping) reset(_ []byte, _ uint64, touched bool) (resident uint64, err error) {
	if touched || !m.image.track.faults {
		if err := m.image.track.find(m.base[:m.high], &m.own); err != nil {
			return 0, err
		}
	}
	for _, s := range m.own.spans {
		resident += s.to - s.from
	}
	if resident > trimAbove || m.high > m.image.size()+trimAbove {
		m.own.spans, m.high = m.own.spans[:0], m.image.size()
		return 0, unix.Madvise(m.base[:m.ready], unix.MADV_DONTNEED)
	}
	for _, s := range m.own.spans {
		own := m.base[s.from:s.to]
		clear(own[copy(own, m.image.bytes[min(s.from, m.image.size()):]):])
	}
	return resident, nil
}

func (m *mapping) free() {
	if m.base != nil {
		_ = unix.Munmap(m.base)
		m.base = nil
		mappings.Add(-1)
	}
}

// merges reports whether the kernel merges equal pages of this process (KSM): one
// that is all zero would look as if nobody had written to it.
func merges() bool {
	on, err := unix.PrctlRetInt(unix.PR_GET_MEMORY_MERGE, 0, 0, 0, 0)
	return err == nil && on != 0
}

// pageTracker finds out once which way of finding written pages there is.
var pageTracker = sync.OnceValue(func() *tracker {
	if os.Getpagesize() != kernelPage || merges() {
		return nil
	}
	file, err := os.Open("/proc/self/pagemap")
	if err != nil {
		return nil
	}
	// A page of our own, written to: a way that does not find it is none.
	probe, err := unix.Mmap(-1, 0, 2*kernelPage, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		_ = file.Close()
		return nil
	}
	defer unix.Munmap(probe)
	goruntime.LockOSThread()
	defer goruntime.UnlockOSThread()
	// Nor are faults counted if there is none at a page that was only read before: some
	// kernels have no page of zeroes, and who read one made it its own.
	blank := probe[kernelPage] == 0
	before := threadUsage().faults
	probe[kernelPage] = 1
	faults := blank && threadUsage().faults > before
	for _, t := range []*tracker{newScanTracker(file), newPagemapTracker(file)} {
		var found pages
		if err := t.find(probe, &found); err == nil && slices.Equal(found.spans, []span{{kernelPage, 2 * kernelPage}}) {
			t.faults = faults
			return t
		}
	}
	_ = file.Close()
	return nil
})
