// Many descriptors, one wait: epoll(7), for several threads at once.
//
// What is ready is given to one thread and to no other, until that has it watched again: so whoever was given a
// descriptor owns what belongs to it, without a lock. Read next: Fork.swift.

import CHost
import Glibc

public struct EventSet: ~Copyable, Sendable {
    private let file: File

    public enum Interest: Sendable {
        case read, write

        fileprivate var bits: UInt32 {
            switch self {
            case .read: EPOLLIN.rawValue | EPOLLRDHUP.rawValue
            case .write: EPOLLOUT.rawValue
            }
        }
    }

    public init() throws(HostError) {
        let result = chost_epoll()
        if result < 0 { throw HostError("epoll_create1", "", errno: Int32(-result)) }
        file = File(owning: Int32(result))
    }

    /// Watches a descriptor under an id that is not 0. `once`: only until it is ready, then `watchAgain` is needed.
    public func watch(_ fd: Int32, id: UInt64, _ interest: Interest = .read, once: Bool) throws(HostError) {
        try set(EPOLL_CTL_ADD, fd, id, interest, once)
    }

    public func watchAgain(_ fd: Int32, id: UInt64, _ interest: Interest = .read) throws(HostError) {
        try set(EPOLL_CTL_MOD, fd, id, interest, true)
    }

    /// A descriptor that is closed is forgotten by itself.
    public func forget(_ fd: Int32) { _ = chost_epoll_set(file.fd, EPOLL_CTL_DEL, fd, 0, 0) }

    private func set(
        _ operation: Int32, _ fd: Int32, _ id: UInt64, _ interest: Interest, _ once: Bool
    ) throws(HostError) {
        let bits = interest.bits | (once ? EPOLLONESHOT.rawValue : 0)
        let result = chost_epoll_set(file.fd, operation, fd, bits, id)
        if result < 0 { throw HostError("epoll_ctl", "", errno: Int32(-result)) }
    }

    /// The id of a descriptor that is ready, hung up or in error; nil after the limit, or a signal.
    public func next(milliseconds: Int32? = nil) -> UInt64? {
        let id = chost_epoll_next(file.fd, milliseconds ?? -1)
        return id == 0 ? nil : id
    }
}
