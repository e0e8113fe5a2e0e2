// When the next sample is due, and for how much time it stands.
//
// A kick can come early (the timer's clock is another than the guest's), late, together with one that was meant for
// something else, or be swallowed by a commit: so the clock decides, and the timer is set anew whenever it may have fired.
// Read next: StackWalk.swift.

struct SampleClock {
    /// Nanoseconds.
    private let period: UInt64
    private var due: UInt64 = 0
    /// The exit during whose handling the sample became due.
    private var handling: String?

    init(rate: UInt64) { period = max(1, 1_000_000_000 / max(rate, 1)) }

    /// Nanoseconds until the first kick.
    mutating func start(at now: UInt64) -> UInt64 {
        due = now &+ period
        return period
    }

    /// After an exit: how many periods its sample stands for (0: no sample), the call that most of them were spent in, and
    /// nanoseconds until the next kick where one must be ordered.
    mutating func look(at event: ExitEvent) -> (periods: UInt64, call: String?, next: UInt64?) {
        var (periods, call): (UInt64, String?) = (0, nil)
        if event.left >= due {
            periods = (event.left - due) / period + 1
            due &+= periods &* period
            (call, handling) = (handling, nil)
        }
        let isPast = event.handled >= due
        if isPast, handling == nil { handling = event.name }
        let mustOrder = periods > 0 || isPast || event.key.kind == .kick
        return (periods, call, mustOrder ? (isPast ? 0 : due - event.handled) : nil)
    }
}
