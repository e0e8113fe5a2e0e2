// The symbols of a restored guest: its image is opened only for them, and used only if it is still the one.
//
// Read next: ../Snapshot/Restoring.swift.

import Boot
import Host
import Observe

extension SymbolTable {
    /// Of the file at `path` if it has that stamp; else none.
    package init(imageAt path: String, _ stamp: FileStamp, bias: UInt64) {
        do throws(MachineError) {
            let file = try ImageFile(path)
            if file.stamp == stamp { self.init(file.image, bias: bias) } else { self.init() }
        } catch { self.init() }
    }
}
