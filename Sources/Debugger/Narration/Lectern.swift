// The terminal that a slow motion is led from: its keys are the lecturer's, and the guest's input waits until they let it go.
//
// Opened before the sandbox closes. Of the terminal only what keys need is changed: no waiting for a line's end, no echo;
// Ctrl-C stays a signal. It is as before when this goes. Read next: Narrator.swift.

import Glibc
import Host

public final class Lectern {
    /// The terminal under standard error, which the narration is written to; -1 where there is none.
    let keys: Int32
    /// What the guest reads meanwhile: nothing comes from it.
    private let heldInput: Int32

    // Open as long as this is here.
    private let terminal: File?
    private let held: Pipe?
    private var settings: RawTerminal?

    /// Without `hasKeys`, or a terminal that can be opened (behind su(1) it is another user's), there are no keys, and the guest has
    /// its input; for who `needsKeys` that is an error.
    public init(hasKeys: Bool, needsKeys: Bool) throws(HostError) {
        var (keys, heldInput): (Int32, Int32) = (-1, -1)
        var terminal: File?
        var held: Pipe?
        do throws(HostError) {
            if hasKeys {
                guard let path = terminalPath(2) else { throw HostError("ttyname", "standard error", errno: ENOTTY) }
                let file = try openTerminal(path)
                keys = file.fd
                terminal = consume file
            }
        } catch { if needsKeys { throw error } }
        if keys >= 0, isTerminal(0) {
            let pipe = try Pipe()
            heldInput = pipe.reader
            held = consume pipe
        }
        (self.keys, self.heldInput) = (keys, heldInput)
        self.terminal = terminal
        self.held = held
    }

    public var guestConsole: Console { heldInput < 0 ? Console() : Console(input: heldInput) }

    var hasKeys: Bool { keys >= 0 }

    /// From here keys come one by one.
    func takeTerminal() { if hasKeys { settings = RawTerminal(keys, keepsSignals: true) } }

    /// The terminal is the user's again, and its input the guest's.
    func leaveTerminal() {
        settings = nil
        if heldInput >= 0 { replaceDescriptor(heldInput, by: 0) }
    }

    /// The next key, if there is one; `q` where nobody is at the terminal any more.
    func key() -> UInt8? { readAvailable(keys, 1).map { $0.first ?? UInt8(ascii: "q") } }
}
