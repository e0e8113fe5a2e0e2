// How `host` ends, and what becomes of its server then: switched off or on again by the kernel, where we are its process 1,
// or else by a program that knows how.
//
// Read next: Supervisor.swift.

import Host

public enum HostEnding: Sendable {
    case quit, powerOff, reboot
}

public enum ServerPower: Sendable {
    /// reboot(2): only process 1 may, for nobody else knows what still runs.
    case kernel
    /// A program's path; its argument is "poweroff" or "reboot".
    case program(String)

    /// Returns why it could not be done, or nil when the program does it.
    public func end(_ ending: HostEnding) -> String? {
        switch (self, ending) {
        case (_, .quit): return nil
        case (.kernel, _): return endServer(again: ending == .reboot)
        case (.program(let path), _):
            do throws(HostError) {
                let pid = try spawn(
                    path, [ending == .reboot ? "reboot" : "poweroff"], (.inherited, .inherited, .inherited))
                let end = reap(pid)
                return end == .exited(0) ? nil : "\(path) ended otherwise than with 0"
            } catch { return error.message }
        }
    }
}
