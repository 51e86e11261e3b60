package runtime

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// kernelPage is the size of the pages that the kernel tracks. Machines with
// larger ones copy whole images.
const kernelPage = 4 << 10

// tracker finds the pages of this process' mappings that it wrote to: those that
// are its own, and neither of a file nor the kernel's page of zeroes.
type tracker struct {
	how  string
	find func(in []byte, found *pages) error
	file *os.File // of what find reads: it must stay open
	// faults says that the kernel counts the page faults of a thread.
	faults bool
}

// pages are ranges of pages, and what finding them takes. The kernel writes into
// it by its address: it must lie where Go moves nothing, on the heap.
type pages struct {
	spans   []span
	regions [32]pageRegion
	args    scanArgs
	entries []byte
}

// span is a range of bytes.
type span struct{ from, to uint64 }

// add joins spans that touch.
func (p *pages) add(from, to uint64) {
	if n := len(p.spans); n > 0 && p.spans[n-1].to == from {
		p.spans[n-1].to = to
		return
	}
	p.spans = append(p.spans, span{from, to})
}

func address(b []byte) uint64 { return uint64(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) }

// pageRegion is struct page_region of linux/fs.h.
type pageRegion struct{ start, end, _ uint64 }

// scanArgs is struct pm_scan_arg of linux/fs.h.
type scanArgs struct {
	size, flags                                               uint64
	start, end, walkEnd                                       uint64
	vec, vecLen, maxPages                                     uint64
	categoryInverted, categoryMask, categoryAnyof, returnMask uint64
}

// Categories of pages, and the call, of linux/fs.h (Linux 6.7 and newer).
const (
	pageIsFile    = 1 << 2
	pageIsPresent = 1 << 3
	pageIsSwapped = 1 << 4
	pageIsZero    = 1 << 5
	pagemapScan   = 0xc0606610 // _IOWR('f', 16, struct pm_scan_arg)
)

// newScanTracker asks the kernel for ranges of written pages. The file is never
// closed.
func newScanTracker(pagemap *os.File) *tracker {
	fd := pagemap.Fd()
	return &tracker{"PAGEMAP_SCAN", func(in []byte, p *pages) error {
		p.spans = p.spans[:0]
		base := address(in)
		p.args = scanArgs{
			size:  uint64(unsafe.Sizeof(p.args)),
			start: base, end: base + uint64(len(in)),
			vec: uint64(uintptr(unsafe.Pointer(&p.regions))), vecLen: uint64(len(p.regions)),
			categoryInverted: pageIsFile | pageIsZero,
			categoryMask:     pageIsFile | pageIsZero,
			categoryAnyof:    pageIsPresent | pageIsSwapped,
			returnMask:       pageIsFile,
		}
		for p.args.start < p.args.end {
			if err := p.scan(fd, base); err != nil {
				return fmt.Errorf("scan pages: %w", err)
			}
		}
		return nil
	}, pagemap, false}
}

// scan makes one call, which waits for nothing, and goes on to where it ended.
func (p *pages) scan(fd uintptr, base uint64) error {
	n, _, errno := unix.RawSyscall(unix.SYS_IOCTL, fd, pagemapScan, uintptr(unsafe.Pointer(&p.args)))
	switch {
	case errno == unix.EINTR:
		return nil
	case errno != 0:
		return errno
	case n > uintptr(len(p.regions)) || p.args.walkEnd <= p.args.start:
		return errors.New("no progress")
	}
	for _, r := range p.regions[:n] {
		p.add(r.start-base, r.end-base)
	}
	p.args.start = p.args.walkEnd
	return nil
}

// Bits of an entry of /proc/self/pagemap.
const (
	entrySize    = 8
	entryFile    = 1 << 61
	entrySwapped = 1 << 62
	entryPresent = 1 << 63
)

// newPagemapTracker reads an entry for every page.
func newPagemapTracker(pagemap *os.File) *tracker {
	return &tracker{"pagemap", func(in []byte, p *pages) error {
		p.spans = p.spans[:0]
		if p.entries == nil {
			p.entries = make([]byte, 512*entrySize)
		}
		first, end := address(in)/kernelPage, uint64(len(in))/kernelPage
		for at := uint64(0); at < end; {
			part := p.entries[:min(uint64(len(p.entries)), (end-at)*entrySize)]
			if _, err := pagemap.ReadAt(part, int64((first+at)*entrySize)); err != nil {
				return fmt.Errorf("read pagemap: %w", err)
			}
			for ; len(part) > 0; part, at = part[entrySize:], at+1 {
				entry := binary.NativeEndian.Uint64(part)
				if entry&entryFile == 0 && entry&(entryPresent|entrySwapped) != 0 {
					p.add(at*kernelPage, (at+1)*kernelPage)
				}
			}
		}
		return nil
	}, pagemap, false}
}
