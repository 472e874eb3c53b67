public import MailModel

#if canImport(Glibc)
    import Glibc
#endif

/// The right of one process to renew what an account signs in with, until it is ended or the process dies, however it
/// dies: the system frees the lock.
public struct SignInTurn: Sendable {
    fileprivate let descriptor: Int32

    /// Lets the next one have it. Once.
    public func end() { close(descriptor) }
}

extension Archive {
    /// Takes the turn of an account, whose provider may accept each refresh token only once.
    ///
    /// - Returns: nil while another one has it, in this process or elsewhere.
    public func takeSignInTurn(of account: AccountID) throws(MailFailure) -> SignInTurn? {
        let descriptor = try FileOwner.openOrCreate("\(directory)/locks/sign-in-\(account.rawValue)")
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            return nil
        }
        return SignInTurn(descriptor: descriptor)
    }
}
