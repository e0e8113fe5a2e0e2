// The clock at 0x70 and 0x71: the time of day in UTC, which it neither keeps nor lets be set, and bytes of RAM.
//
// Motorola MC146818A, with registers A to D as a PC has them after its firmware. Read next: SerialInput.swift.

import Host

struct RealTimeClock {
    private var index: UInt8 = 0
    private var ram = [UInt8](repeating: 0, count: 128)

    /// Bit 7 of the index port is the CPU's NMI mask.
    mutating func select(_ value: UInt8) { index = value & 0x7f }

    mutating func write(_ value: UInt8) { ram[Int(index)] = value }

    func read() -> UInt8 { read(index, Date(seconds: Clock.realtime().seconds)) }

    /// Binary-coded decimal, 24 hours.
    func read(_ index: UInt8, _ date: Date) -> UInt8 {
        switch index {
        case 0: decimal(date.second)
        case 2: decimal(date.minute)
        case 4: decimal(date.hour)
        case 6: decimal(date.weekday)
        case 7: decimal(date.day)
        case 8: decimal(date.month)
        case 9: decimal(date.year % 100)
        case 0x32: decimal(date.year / 100)
        case 0x0a: 0x26  // 32,768 Hz, and no update in progress
        case 0x0b: 2  // 24 hours, decimal
        case 0x0c: 0  // no interrupts
        case 0x0d: 0x80  // the battery is well
        default: ram[Int(index & 0x7f)]
        }
    }

    private func decimal(_ number: Int) -> UInt8 { UInt8(truncatingIfNeeded: number / 10 * 16 + number % 10) }
}

/// A moment in the Gregorian calendar, UTC.
struct Date: Equatable {
    let year, month, day, hour, minute, second: Int
    /// 1 is Sunday.
    let weekday: Int

    /// Seconds since 1970. Days are counted in eras of 400 years from 1 March of the year 0, so that a leap day is an era's,
    /// a year's and a quarter's last (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days).
    init(seconds: Int64) {
        let seconds = Int(max(0, seconds))
        let days = seconds / 86400
        (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60)
        weekday = (days + 4) % 7 + 1
        let shifted = days + 719_468
        let (era, dayOfEra) = shifted.quotientAndRemainder(dividingBy: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }
}
