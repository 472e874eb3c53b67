/// Punycode (RFC 3492): Unicode labels of host names in the letters of ASCII.
public enum Punycode {
    private static let base: UInt32 = 36
    private static let tMin: UInt32 = 1
    private static let tMax: UInt32 = 26
    private static let skew: UInt32 = 38
    private static let damp: UInt32 = 700
    private static let initialBias: UInt32 = 72
    private static let initialN: UInt32 = 0x80

    /// The encoding of one label, without the `xn--` prefix. Nil when the label is
    /// too long to be a host name's (RFC 1035: 63 bytes), which also keeps the
    /// arithmetic far from its limits and the quadratic part short.
    public static func encode(_ label: some Collection<Unicode.Scalar>) -> String? {
        let input = label.map(\.value)
        guard input.count <= 63 else { return nil }
        var output = input.filter { $0 < 0x80 }.map { UInt8($0) }
        let basicCount = UInt32(output.count)
        var handled = basicCount
        if basicCount > 0 { output.append(UInt8(ascii: "-")) }
        var n = initialN
        var delta: UInt32 = 0
        var bias = initialBias
        while handled < UInt32(input.count) {
            guard let next = input.filter({ $0 >= n }).min() else { return nil }
            delta += (next - n) * (handled + 1)
            n = next
            for scalar in input {
                if scalar < n { delta += 1 }
                guard scalar == n else { continue }
                var q = delta
                var k = base
                while true {
                    let t = k <= bias ? tMin : (k >= bias + tMax ? tMax : k - bias)
                    if q < t { break }
                    output.append(digit(t + (q - t) % (base - t)))
                    q = (q - t) / (base - t)
                    k += base
                }
                output.append(digit(q))
                bias = adapt(delta, handled + 1, isFirst: handled == basicCount)
                delta = 0
                handled += 1
            }
            delta += 1
            n += 1
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// The letters of one label, given without the `xn--` prefix. Nil when it is no encoding.
    public static func decode(_ label: some StringProtocol) -> String? {
        let text = Array(label.utf8)
        guard text.count <= 63, text.allSatisfy({ $0 < 0x80 }) else { return nil }
        var output: [UInt32] = []
        var rest = text[...]
        if let hyphen = text.lastIndex(of: UInt8(ascii: "-")) {
            output = text[..<hyphen].map(UInt32.init)
            rest = text[(hyphen + 1)...]
        }
        var n = initialN
        var place: UInt32 = 0
        var bias = initialBias
        while !rest.isEmpty {
            let before = place
            var weight: UInt32 = 1
            var k = base
            while true {
                guard let byte = rest.popFirst(), let value = value(of: byte) else { return nil }
                let (step, tooFar) = value.multipliedReportingOverflow(by: weight)
                let (sum, beyond) = place.addingReportingOverflow(step)
                guard !tooFar, !beyond else { return nil }
                place = sum
                let t = k <= bias ? tMin : (k >= bias + tMax ? tMax : k - bias)
                if value < t { break }
                let (next, tooMuch) = weight.multipliedReportingOverflow(by: base - t)
                guard !tooMuch else { return nil }
                weight = next
                k += base
            }
            let count = UInt32(output.count) + 1
            bias = adapt(place - before, count, isFirst: before == 0)
            let (scalar, tooLarge) = n.addingReportingOverflow(place / count)
            guard !tooLarge else { return nil }
            n = scalar
            place %= count
            output.insert(n, at: Int(place))
            place += 1
        }
        var result = String.UnicodeScalarView()
        for value in output {
            guard let scalar = Unicode.Scalar(value) else { return nil }
            result.append(scalar)
        }
        return String(result)
    }

    private static func value(of byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte) - 97
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(byte) - 65
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte) - 48 + 26
        default: nil
        }
    }

    private static func digit(_ value: UInt32) -> UInt8 {
        UInt8(value < 26 ? value + 97 : value - 26 + 48)
    }

    private static func adapt(_ delta: UInt32, _ count: UInt32, isFirst: Bool) -> UInt32 {
        var delta = isFirst ? delta / damp : delta / 2
        delta += delta / count
        var k: UInt32 = 0
        while delta > ((base - tMin) * tMax) / 2 {
            delta /= base - tMin
            k += base
        }
        return k + (base - tMin + 1) * delta / (delta + skew)
    }
}
