// Which CPUs a thread may run on: a measurement that wanders between two measures the way between them too.
//
// Read next: ThreadPlace.swift.

import CHost

/// The CPUs that this thread may run on, ascending (sched_getaffinity(2)).
public func allowedCPUs() -> [Int] {
    var mask = [16 of UInt64](repeating: 0)
    let result = unsafe withUnsafeMutableBytes(of: &mask) {
        // Sound: 16 words are what the kernel is told that there are.
        unsafe chost_get_affinity($0.assumingMemoryBound(to: UInt64.self).baseAddress)
    }
    return result < 0 ? [] : (0..<1024).filter { mask[$0 / 64] >> UInt64($0 % 64) & 1 != 0 }
}

/// Keeps the calling thread on one CPU, 0 to 1023.
///
/// - Throws: EINVAL when there is no such CPU, or this process may not use it (sched_setaffinity(2)).
public func pinThread(to cpu: Int) throws(HostError) { try keepThread(on: [cpu]) }

/// Lets the calling thread, and programs that it starts from now on, run on these CPUs only, each 0 to 1023.
///
/// - Throws: EINVAL when none of them is there, or this process may use none of them (sched_setaffinity(2)).
public func keepThread(on cpus: [Int]) throws(HostError) {
    let what = "CPU " + cpus.map(String.init).joined(separator: ", ")
    guard cpus.allSatisfy((0..<1024).contains) else { throw HostError("sched_setaffinity", what, errno: 22) }
    var mask = [16 of UInt64](repeating: 0)
    for cpu in cpus { mask[cpu / 64] |= 1 << UInt64(cpu % 64) }
    let result = unsafe withUnsafeBytes(of: &mask) {
        unsafe chost_set_affinity($0.assumingMemoryBound(to: UInt64.self).baseAddress)
    }
    if result < 0 { throw HostError("sched_setaffinity", what, errno: Int32(-result)) }
}
