import MailModel
import MailTransport

/// What the user of a device flow is told (RFC 8628, 3.2).
public struct DeviceAuthorization: Sendable {
    /// Typed by the user at the address.
    public var userCode: String
    public var address: String
    let deviceCode: Secret
    let lifetimeSeconds: Int
    let intervalSeconds: Int

    /// Nil when something is missing. `verification_url` is what Yandex and older servers call the address.
    init?(_ fields: [String: String]) {
        guard let deviceCode = fields["device_code"], let userCode = fields["user_code"],
            let address = fields["verification_uri"] ?? fields["verification_url"],
            !deviceCode.isEmpty, !userCode.isEmpty, address.hasPrefix("http")
        else { return nil }
        self.deviceCode = Secret(deviceCode)
        self.userCode = TokenAnswer.printable(userCode)
        self.address = TokenAnswer.printable(address)
        lifetimeSeconds = min(max(fields["expires_in"].flatMap { Int($0) } ?? 600, 1), 3_600)
        intervalSeconds = min(max(fields["interval"].flatMap { Int($0) } ?? 5, 1), 60)
    }
}

/// How often a device flow asks: a pure decision from the answers.
struct DevicePace {
    private var interval: Int
    private var secondsLeft: Int

    init(_ authorization: DeviceAuthorization) {
        interval = authorization.intervalSeconds
        secondsLeft = authorization.lifetimeSeconds
    }

    /// Seconds to wait before the next question; nil when the code has expired.
    mutating func nextPause() -> Int? {
        guard secondsLeft > 0 else { return nil }
        secondsLeft -= interval
        return interval
    }

    /// Whether to ask again (RFC 8628, 3.5): pending goes on, slow_down goes on five seconds slower,
    /// an outage goes on twice as slow, and everything else is the end.
    mutating func goesOn(after failure: MailFailure) -> Bool {
        switch failure.code {
        case .authorizationPending:
            if failure.detail == "slow_down" { interval += 5 }
            return true
        case .cancelled:
            return false
        default:
            guard failure.kind == .transient else { return false }
            interval = min(interval * 2, 60)
            return true
        }
    }
}
