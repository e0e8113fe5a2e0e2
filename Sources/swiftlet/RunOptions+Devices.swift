// `--block` and `--net`: what they mean to a run.
//
// Read next: Devices/DeviceOptions.swift, which reads their values.

import Devices

extension RunOptions {
    /// One more disk or network interface.
    mutating func attach(_ text: String, isDisk: Bool) throws(UsageError) {
        do throws(DeviceError) {
            if isDisk {
                configuration.devices.blocks.append(try BlockOption(text))
            } else {
                configuration.devices.nets.append(try NetOption(text))
            }
        } catch { throw UsageError(error.message) }
    }

    /// A disk goes on without the guest that was saved, and a network does not know it: the restored guest would be wrong
    /// about both.
    func checkDevices() throws(UsageError) {
        if configuration.snapshot != nil, !configuration.devices.isEmpty {
            throw UsageError("--snapshot cannot save a guest with --block or --net")
        }
    }
}
