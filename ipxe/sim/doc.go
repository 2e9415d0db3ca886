// Package sim runs iPXE scripts: given a machine and a web server it says exactly what
// iPXE would request, print and boot, without a machine to reboot.
//
// [Run] takes a [Machine] (network cards, SMBIOS, DHCP options, a build of iPXE), a
// script, and a [World] (any http.Handler, or files), and returns the requests in order
// with the exact text of their URIs, the console, the status, and what boots. A
// [Simulator] does so for many scripts, and keeps its memory. [Explore] follows every
// choice that a user can make. Time is virtual: sleep and timeouts move a clock and wait
// for nothing.
//
// # Guarantees
//
// In the profile of Debian's build of 2019, status, console, requests and the raw bytes of
// settings are those of the real firmware: random scripts are run on both. A run ends
// within its bounds of steps, bytes, requests and depth, and tells where the real
// machine would hang, loop for ever, or run a text file as machine code. The package
// opens no socket and no file and reads no clock. Run changes neither the machine nor
// the script; both may be shared by any number of runs.
//
// # Limits
//
// Menus and forms are printed as lines, where the firmware draws a screen. Downloads take
// no time unless the World says so, and a VLAN has the DHCP server that [NIC.VLANs] names.
// IPv6 addresses of the cards, wireless networks, certificates, signatures and EFI are not
// simulated; commands that are known but not simulated fail with "Operation not supported"
// and are named among the hazards. What only other builds have (ping, VLANs, parameters,
// name servers, clocks, archives, digests, forms) follows the source and was not seen on
// the firmware. That a real machine fills its memory (some 500 kB for text) is modelled
// for expansions alone.
//
// # Refusals
//
// The interpreter never guesses what a server would answer: what the World does not know
// can't be fetched.
package sim
