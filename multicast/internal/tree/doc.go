// Package tree is the files' side of multicast: it scans a source into a manifest,
// reads its content as one stream, compares a manifest with what a receiver has,
// stages what comes, checks every digest, and makes the tree switch.
//
// All names on the receiver's side are resolved below one os.Root, a directory at a
// time, and no link is followed. A manifest that is decoded has been checked: names
// are relative and clean, sorted, and unique, and nothing stands below a file.
package tree
