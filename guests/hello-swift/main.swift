// hello-swift: the same kernel in Embedded Swift: the same contract (CABI) and runtime (Guest), no C of its own, and
// the standard library's own print.

import Guest

@c func main(_ boot: UnsafePointer<swiftlet_boot_info>) -> CInt {
    print("Hello from Embedded Swift!")
    return boot.pointee.magic == UInt64(SWIFTLET_BOOT_MAGIC) ? 0 : 1
}
