package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	height = 8 // of a tile, by C2SP tlog-tiles
	width  = 1 << height
)

// eachEntry reads the bundles and calls visit with one entry after the other.
func (l *log) eachEntry(visit func(index int64, entry []byte) error) error {
	for n := int64(0); n*width < l.tree.N; n++ {
		entries, err := l.bundle(n)
		if err != nil {
			return err
		}
		for i, entry := range entries {
			index := n*width + int64(i)
			if err := visit(index, entry); err != nil {
				return fmt.Errorf("entry %d: %v", index, err)
			}
		}
	}
	return nil
}

// bundle returns the entries of bundle n, as many as it has in this tree.
func (l *log) bundle(n int64) ([][]byte, error) {
	tile := l.tile(-1, n, l.tree.N)
	data, err := l.read(tilePath(tile))
	if err != nil {
		return nil, err
	}
	var entries [][]byte
	for len(entries) < tile.W {
		if len(data) < 2 || len(data)-2 < int(binary.BigEndian.Uint16(data)) {
			return nil, fmt.Errorf("%s ends in entry %d", tilePath(tile), len(entries))
		}
		end := 2 + int(binary.BigEndian.Uint16(data))
		entries = append(entries, data[2:end])
		data = data[end:]
	}
	if len(data) > 0 {
		return nil, fmt.Errorf("%s goes on after its last entry", tilePath(tile))
	}
	return entries, nil
}

// tile returns the tile n of a level that has count hashes, or entries.
func (l *log) tile(level int, n, count int64) tlog.Tile {
	tile := tlog.Tile{H: height, L: level, N: n, W: width}
	if count < (n+1)*width {
		tile.W = int(count - n*width)
	}
	return tile
}

// tiles returns the path of every file that a log of this size has to have.
func (l *log) tiles() map[string]bool {
	paths := map[string]bool{}
	for n := int64(0); n*width < l.tree.N; n++ {
		paths[tilePath(l.tile(-1, n, l.tree.N))] = true
	}
	for level, count := 0, l.tree.N; count > 0; level, count = level+1, count>>height {
		for n := int64(0); n*width < count; n++ {
			paths[tilePath(l.tile(level, n, count))] = true
		}
	}
	return paths
}

// data returns what a tile or bundle has to hold, as the entries say.
func (l *log) data(tile tlog.Tile) ([]byte, error) {
	if tile.L >= 0 {
		return tlog.ReadTileData(tile, l)
	}
	if tile.N > l.tree.N/width || tile.N*width+int64(tile.W) > l.tree.N {
		return nil, errors.New("there are not as many entries")
	}
	entries, err := l.bundle(tile.N)
	if err != nil {
		return nil, err
	}
	var data []byte
	for _, entry := range entries[:tile.W] {
		data = binary.BigEndian.AppendUint16(data, uint16(len(entry)))
		data = append(data, entry...)
	}
	return data, nil
}

// ReadHashes makes a log a tlog.HashReader of what its entries say.
func (l *log) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var hashes []tlog.Hash
	for _, index := range indexes {
		if index < 0 || index >= int64(len(l.stored)) {
			return nil, errors.New("there are not as many entries")
		}
		hashes = append(hashes, l.stored[index])
	}
	return hashes, nil
}

// Height, ReadTiles and SaveTiles make a log a tlog.TileReader of the published tiles.

func (l *log) Height() int { return height }

func (l *log) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		data, err := l.read(tilePath(tile))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func (l *log) SaveTiles([]tlog.Tile, [][]byte) {}

func (l *log) read(name string) ([]byte, error) {
	return os.ReadFile(filepath.Join(l.folder, filepath.FromSlash(name)))
}

// tilePath is C2SP's path of a tile: Go's begins with the height and says "data".
func tilePath(tile tlog.Tile) string {
	path := strings.TrimPrefix(tile.Path(), "tile/8/")
	if tile.L < 0 {
		path = "entries" + strings.TrimPrefix(path, "data")
	}
	return "tile/" + path
}

func parseTilePath(name string) (tlog.Tile, error) {
	path := "tile/8" + strings.TrimPrefix(name, "tile")
	tile, err := tlog.ParseTilePath(strings.Replace(path, "/entries/", "/data/", 1))
	if err != nil || tilePath(tile) != name {
		return tile, fmt.Errorf("%s is no tile of a log", name)
	}
	return tile, nil
}

// splitHead returns the lines before the first empty one, and all that follows it.
func splitHead(data []byte) ([]string, []byte, error) {
	head, rest, found := bytes.Cut(data, []byte("\n\n"))
	if !found {
		return nil, nil, errors.New("expected an empty line before the checkpoint")
	}
	return strings.Split(string(head), "\n"), rest, nil
}

// labelled returns the number after a label, in its only spelling.
func labelled(line, label string) (int64, error) {
	number, err := strconv.ParseInt(strings.TrimPrefix(line, label), 10, 64)
	if err != nil || line != label+strconv.FormatInt(number, 10) {
		return 0, fmt.Errorf("expected a line %q with a number", label)
	}
	return number, nil
}

func parseHashes(lines []string) ([]tlog.Hash, error) {
	var hashes []tlog.Hash
	for _, line := range lines {
		data, err := decodeBase64(line)
		if err != nil || len(data) != tlog.HashSize {
			return nil, errors.New("expected one hash in base64 on each line")
		}
		var hash tlog.Hash
		copy(hash[:], data)
		hashes = append(hashes, hash)
	}
	return hashes, nil
}

// decodeBase64 takes the spelling that an encoder writes, and no other.
func decodeBase64(text string) ([]byte, error) {
	data, err := base64.StdEncoding.DecodeString(text)
	if err == nil && base64.StdEncoding.EncodeToString(data) != text {
		err = errors.New("expected base64 in its only spelling")
	}
	return data, err
}
