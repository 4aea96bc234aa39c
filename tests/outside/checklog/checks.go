package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// tlog knows only the tree of its own log: ours has the same lines below its origin.
const goOrigin = "go.sum database tree\n"

// A log is a folder of files, and what has been learned of it so far.
type log struct {
	folder     string
	key        note.Verifier
	collectors note.Verifiers
	tree       tlog.Tree           // as the checkpoint says
	stored     []tlog.Hash         // of all subtrees, as the entries say
	seen       map[int64]tlog.Tree // the checkpoints that were kept, by size
}

func newLog(key string, collectors []string, folder string) (*log, error) {
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return nil, err
	}
	var known []note.Verifier
	for _, each := range collectors {
		collector, err := note.NewVerifier(each)
		if err != nil {
			return nil, err
		}
		known = append(known, collector)
	}
	return &log{
		folder:     folder,
		key:        verifier,
		collectors: note.VerifierList(known...),
		seen:       map[int64]tlog.Tree{},
	}, nil
}

// checkCheckpoint: the log's key signed the newest checkpoint.
func (l *log) checkCheckpoint() (string, error) {
	data, err := os.ReadFile(filepath.Join(l.folder, "checkpoint"))
	if err != nil {
		return "", err
	}
	l.tree, err = l.openCheckpoint(data)
	return fmt.Sprintf("%d entries, root %v", l.tree.N, l.tree.Hash), err
}

// checkEntries: every entry is a note that a collector signed.
func (l *log) checkEntries() (string, error) {
	err := l.eachEntry(func(index int64, entry []byte) error {
		_, err := open(entry, l.collectors)
		return err
	})
	return fmt.Sprintf("%d signed notes", l.tree.N), err
}

// checkTree: the entries hash to the root that the checkpoint signs.
func (l *log) checkTree() (string, error) {
	err := l.eachEntry(func(index int64, entry []byte) error {
		hashes, err := tlog.StoredHashes(index, entry, l)
		l.stored = append(l.stored, hashes...)
		return err
	})
	if err != nil {
		return "", err
	}
	root, err := tlog.TreeHash(l.tree.N, l)
	if err == nil && root != l.tree.Hash {
		err = fmt.Errorf("the entries have the root %v, not the one signed", root)
	}
	return "the entries have the signed root", err
}

// checkTiles: every tile that the size asks for is there, and every file that is there,
// the partial ones of earlier sizes too, is what the entries say.
func (l *log) checkTiles() (string, error) {
	missing := l.tiles()
	count := 0
	err := filepath.WalkDir(filepath.Join(l.folder, "tile"),
		func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			name, err := filepath.Rel(l.folder, path)
			if err != nil {
				return err
			}
			delete(missing, filepath.ToSlash(name))
			count++
			return l.checkFile(filepath.ToSlash(name))
		})
	if err != nil {
		return "", err
	}
	for name := range missing {
		return "", fmt.Errorf("%s is missing", name)
	}
	return fmt.Sprintf("%d files", count), nil
}

func (l *log) checkFile(name string) error {
	got, err := l.read(name)
	if err != nil {
		return err
	}
	tile, err := parseTilePath(name)
	if err != nil {
		return err
	}
	want, err := l.data(tile)
	if err != nil {
		return fmt.Errorf("%s: %v", name, err)
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("%s is not what the entries say", name)
	}
	return nil
}

// checkSince: the log continues the one that had this checkpoint.
func (l *log) checkSince(data []byte) (string, error) {
	old, err := l.openCheckpoint(data)
	if err != nil {
		return "", err
	}
	l.seen[old.N] = old
	return fmt.Sprintf("continues the first %d entries", old.N), l.continues(old)
}

// checkRequest: the proof in a request to a witness (C2SP tlog-witness) leads from a
// checkpoint that was kept to the one that the request brings.
func (l *log) checkRequest(data []byte) (string, error) {
	lines, checkpoint, err := splitHead(data)
	if err != nil {
		return "", err
	}
	size, err := labelled(lines[0], "old ")
	if err != nil {
		return "", err
	}
	old, ok := l.seen[size]
	if !ok {
		return "", fmt.Errorf("no -since was given for the old size %d", size)
	}
	proof, err := parseHashes(lines[1:])
	if err != nil {
		return "", err
	}
	tree, err := l.openCheckpoint(checkpoint)
	if err != nil {
		return "", err
	}
	err = tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash)
	return fmt.Sprintf("proves %d entries to continue %d", tree.N, old.N), err
}

// checkReceipt: a receipt (C2SP tlog-proof) shows a signed entry in a tree that the log
// signed, and the log continues that tree.
func (l *log) checkReceipt(data []byte) (string, error) {
	lines, checkpoint, err := splitHead(data)
	if err != nil {
		return "", err
	}
	if len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" ||
		!strings.HasPrefix(lines[1], "extra ") {
		return "", errors.New("expected a tlog-proof with its entry as extra")
	}
	entry, err := decodeBase64(strings.TrimPrefix(lines[1], "extra "))
	if err != nil {
		return "", err
	}
	index, err := labelled(lines[2], "index ")
	if err != nil {
		return "", err
	}
	proof, err := parseHashes(lines[3:])
	if err != nil {
		return "", err
	}
	if _, err := open(entry, l.collectors); err != nil {
		return "", err
	}
	tree, err := l.openCheckpoint(checkpoint)
	if err != nil {
		return "", err
	}
	err = tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entry))
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("entry %d of %d", index, tree.N), l.continues(tree)
}

// continues proves, from the published tiles alone, that old is how the log began.
// x/mod 0.7.0 reads some full tiles without holding them against the tile above; a proof
// made from a false one leads to another root, and CheckTree refuses it.
func (l *log) continues(old tlog.Tree) error {
	if old.N > l.tree.N {
		return fmt.Errorf("the log had %d entries and has %d", old.N, l.tree.N)
	}
	proof, err := tlog.ProveTree(l.tree.N, old.N, tlog.TileHashReader(l.tree, l))
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, l.tree.N, l.tree.Hash, old.N, old.Hash)
}

// openCheckpoint returns the tree that the log's key signed, in its only spelling.
func (l *log) openCheckpoint(data []byte) (tlog.Tree, error) {
	text, err := open(data, note.VerifierList(l.key))
	if err != nil {
		return tlog.Tree{}, err
	}
	origin, rest, _ := strings.Cut(text, "\n")
	if origin != l.key.Name() {
		return tlog.Tree{}, fmt.Errorf("the checkpoint is of %q", origin)
	}
	tree, err := tlog.ParseTree([]byte(goOrigin + rest))
	if err != nil {
		return tlog.Tree{}, err
	}
	if string(tlog.FormatTree(tree)) != goOrigin+rest {
		return tlog.Tree{}, errors.New("expected origin, size, root and no more")
	}
	if tree.N == 0 {
		return tlog.Tree{}, errors.New("an empty log shows nothing")
	}
	return tree, nil
}

// open returns the text of a note that a known key signed. note.Open passes over stray
// bits at the end of base64: here a signature has one spelling.
func open(data []byte, known note.Verifiers) (string, error) {
	opened, err := note.Open(data, known)
	if err != nil {
		return "", err
	}
	for _, each := range append(opened.Sigs, opened.UnverifiedSigs...) {
		if _, err := decodeBase64(each.Base64); err != nil {
			return "", err
		}
	}
	return opened.Text, nil
}
