// Holds a log against its key, with nothing of ours in it: notes and trees are those of
// golang.org/x/mod, which Debian packages as golang-golang-x-mod-dev.
//
// Usage:
//
//	checker checkpoint KEY CHECKPOINT    the checkpoint is signed by the key
//	checker proof KEY PROOF [RECORD]     the .tlog-proof proves its own record, or RECORD
//	checker tiles KEY URL                served tiles and bundles are those of the checkpoint
//	checker consistency KEY URL OLD      the served log goes on from the checkpoint OLD
//	checker entry KEY URL PROOF          the served log still has what PROOF is about
//
// KEY, CHECKPOINT, OLD, PROOF and RECORD are files; KEY has a verifier key a line, all of one log.
// A checkpoint must be signed by each of them. Ends with 0 where it holds, and with 1 and a
// sentence where it does not.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	tileHeight = 8
	tileWidth  = 1 << tileHeight
	bytesMax   = tileWidth * (2 + 65535)
)

// logKeys are the verifiers of one log.
type logKeys []note.Verifier

// openCheckpoint gives the tree that a note of all keys names.
func openCheckpoint(keys logKeys, text []byte) (tlog.Tree, error) {
	opened, err := note.Open(text, note.VerifierList(keys...))
	if err != nil {
		return tlog.Tree{}, err
	}
	if len(opened.Sigs) != len(keys) {
		return tlog.Tree{}, fmt.Errorf("signed by %d of %d keys", len(opened.Sigs), len(keys))
	}
	name := keys[0].Name()
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != name || lines[3] != "" {
		return tlog.Tree{}, fmt.Errorf("not a checkpoint of %s: %q", name, opened.Text)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 {
		return tlog.Tree{}, fmt.Errorf("not a size: %q", lines[1])
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

// A proof is what a .tlog-proof file holds.
type proof struct {
	record []byte // the entry's record, out of the line "extra"
	salt   []byte
	index  int64
	hashes tlog.RecordProof
	tree   tlog.Tree
}

// leaf is the hash of the commitment to the record, which is the entry's data in the log.
func (p *proof) leaf() tlog.Hash {
	commitment := sha256.Sum256(append(append([]byte{}, p.salt...), p.record...))
	return tlog.RecordHash(commitment[:])
}

func (p *proof) check() error {
	return tlog.CheckRecord(p.hashes, p.tree.N, p.tree.Hash, p.index, p.leaf())
}

func parseProof(keys logKeys, text []byte) (*proof, error) {
	parts := bytes.SplitN(text, []byte("\n\n"), 2)
	lines := strings.Split(string(parts[0]), "\n")
	if len(parts) != 2 || len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" ||
		!strings.HasPrefix(lines[1], "extra ") || !strings.HasPrefix(lines[2], "index ") {
		return nil, errors.New("not a proof with the lines 'extra' and 'index'")
	}
	extra, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
	if err != nil {
		return nil, err
	}
	var content struct {
		Record string `json:"record"`
		Salt   []byte `json:"salt"`
	}
	if err := json.Unmarshal(extra, &content); err != nil {
		return nil, err
	}
	p := &proof{record: []byte(content.Record), salt: content.Salt}
	if p.index, err = strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64); err != nil {
		return nil, err
	}
	for _, line := range lines[3:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return nil, err
		}
		p.hashes = append(p.hashes, hash)
	}
	p.tree, err = openCheckpoint(keys, parts[1])
	return p, err
}

// A servedLog reads a log over HTTP. It is a tlog.TileReader; what reads through it holds every
// tile against the tree.
type servedLog struct{ url string }

func (l servedLog) fetch(path string) ([]byte, error) {
	answer, err := http.Get(l.url + path)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", path, answer.Status)
	}
	return io.ReadAll(io.LimitReader(answer.Body, bytesMax))
}

// tilePath is where C2SP's tlog-tiles has a tile; x/mod's own paths tell the height besides.
func tilePath(tile tlog.Tile) string {
	return strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/", tileHeight), "/tile/", 1)
}

func (l servedLog) Height() int { return tileHeight }

func (l servedLog) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		data, err := l.fetch(tilePath(tile))
		if err != nil {
			return nil, err
		}
		if len(data) != tile.W*tlog.HashSize {
			return nil, fmt.Errorf("%s has %d bytes", tilePath(tile), len(data))
		}
		all = append(all, data)
	}
	return all, nil
}

func (l servedLog) SaveTiles([]tlog.Tile, [][]byte) {}

func (l servedLog) tree(keys logKeys) (tlog.Tree, error) {
	text, err := l.fetch("/checkpoint")
	if err != nil {
		return tlog.Tree{}, err
	}
	return openCheckpoint(keys, text)
}

// cutEntries gives the entries of a bundle, each behind its length.
func cutEntries(bundle []byte) ([][]byte, error) {
	var entries [][]byte
	for len(bundle) > 0 {
		if len(bundle) < 2 || len(bundle)-2 < int(binary.BigEndian.Uint16(bundle)) {
			return nil, errors.New("a bundle ends within an entry")
		}
		end := 2 + int(binary.BigEndian.Uint16(bundle))
		entries = append(entries, bundle[2:end])
		bundle = bundle[end:]
	}
	return entries, nil
}

// checkTile holds the bytes of a tile against the hashes that the tree proves for its place. The
// reader takes them from the widest tile of the place, so a narrower one is held against that.
func checkTile(tile tlog.Tile, reader tlog.HashReader, log servedLog) ([]tlog.Hash, error) {
	var indexes []int64
	for i := 0; i < tile.W; i++ {
		indexes = append(indexes, tlog.StoredHashIndex(tile.L*tileHeight, tile.N*tileWidth+int64(i)))
	}
	hashes, err := reader.ReadHashes(indexes)
	if err != nil {
		return nil, err
	}
	served, err := log.ReadTiles([]tlog.Tile{tile})
	if err != nil {
		return nil, err
	}
	for i, hash := range hashes {
		if !bytes.Equal(served[0][i*tlog.HashSize:(i+1)*tlog.HashSize], hash[:]) {
			return nil, fmt.Errorf("hash %d is not that of the tree", i)
		}
	}
	return hashes, nil
}

// checkBundle holds the entries beside a tile of leaves against it.
func checkBundle(tile tlog.Tile, leaves []tlog.Hash, log servedLog) error {
	path := strings.Replace(tilePath(tile), "/tile/0/", "/tile/entries/", 1)
	bundle, err := log.fetch(path)
	if err != nil {
		return err
	}
	entries, err := cutEntries(bundle)
	if err != nil || len(entries) != len(leaves) {
		return fmt.Errorf("%s is not of %d entries: %v", path, len(leaves), err)
	}
	for i, entry := range entries {
		if tlog.RecordHash(entry) != leaves[i] {
			return fmt.Errorf("%s: entry %d is not that of the tree", path, i)
		}
	}
	return nil
}

// checkTiles reads each tile that tlog.NewTiles names for a tree of that size, and tells it.
func checkTiles(keys logKeys, log servedLog) error {
	tree, err := log.tree(keys)
	if err != nil {
		return err
	}
	reader := tlog.TileHashReader(tree, log)
	for _, tile := range tlog.NewTiles(tileHeight, 0, tree.N) {
		hashes, err := checkTile(tile, reader, log)
		if err == nil && tile.L == 0 {
			err = checkBundle(tile, hashes, log)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", tilePath(tile), err)
		}
		fmt.Println(tilePath(tile))
	}
	return nil
}

func checkConsistency(keys logKeys, log servedLog, old tlog.Tree) error {
	tree, err := log.tree(keys)
	if err != nil {
		return err
	}
	steps, err := tlog.ProveTree(tree.N, old.N, tlog.TileHashReader(tree, log))
	if err != nil {
		return err
	}
	return tlog.CheckTree(steps, tree.N, tree.Hash, old.N, old.Hash)
}

// checkEntry proves anew, from the served tiles, that the log has what an older proof is about.
func checkEntry(keys logKeys, log servedLog, p *proof) error {
	tree, err := log.tree(keys)
	if err != nil {
		return err
	}
	steps, err := tlog.ProveRecord(tree.N, p.index, tlog.TileHashReader(tree, log))
	if err != nil {
		return err
	}
	return tlog.CheckRecord(steps, tree.N, tree.Hash, p.index, p.leaf())
}

func readKeys(file string) (logKeys, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var keys logKeys
	for _, line := range strings.Fields(string(text)) {
		key, err := note.NewVerifier(line)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("%s has no key", file)
	}
	return keys, nil
}

func readCheckpoint(keys logKeys, file string) (tlog.Tree, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return tlog.Tree{}, err
	}
	return openCheckpoint(keys, text)
}

func readProof(keys logKeys, file string) (*proof, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return parseProof(keys, text)
}

func proofCommand(keys logKeys, files []string) error {
	p, err := readProof(keys, files[0])
	if err != nil {
		return err
	}
	if len(files) > 1 {
		if p.record, err = os.ReadFile(files[1]); err != nil {
			return err
		}
	}
	return p.check()
}

func run(arguments []string) error {
	if len(arguments) < 3 {
		return errors.New("usage: checker COMMAND KEY WHAT...")
	}
	keys, err := readKeys(arguments[1])
	if err != nil {
		return err
	}
	log := servedLog{url: arguments[2]}
	switch command := arguments[0]; {
	case command == "checkpoint":
		_, err := readCheckpoint(keys, arguments[2])
		return err
	case command == "proof":
		return proofCommand(keys, arguments[2:])
	case command == "tiles":
		return checkTiles(keys, log)
	case command == "consistency" && len(arguments) == 4:
		old, err := readCheckpoint(keys, arguments[3])
		if err != nil {
			return err
		}
		return checkConsistency(keys, log, old)
	case command == "entry" && len(arguments) == 4:
		p, err := readProof(keys, arguments[3])
		if err != nil {
			return err
		}
		return checkEntry(keys, log, p)
	}
	return fmt.Errorf("checker does not know %q", arguments)
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
