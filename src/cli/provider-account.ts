import type { Config } from '../config.ts'
import { openResendAccount, type ResendAccount } from '../mail/resend-account.ts'

/** Resend's own view of the account, where a key that may read it is set. */
export function providerAccount({ resendFullAccessKey, mail }: Config): ResendAccount | undefined {
  if (!resendFullAccessKey) return undefined
  return openResendAccount({ fullAccessKey: resendFullAccessKey, baseUrl: mail.resendBaseUrl })
}
