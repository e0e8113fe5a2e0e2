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
}
