import type { Clock } from '../clock.ts'
import type { DkimKey } from './dkim.ts'
import type { Transport } from './email.ts'
import { outboxTransport } from './outbox.ts'
import { resendTransport } from './resend.ts'
import { smtpTransport } from './smtp.ts'

/** Which way out, and what it needs; `src/config.ts` has checked that it is there. */
export type TransportChoice = {
  readonly transport: 'outbox' | 'resend' | 'smtp'
  readonly resendApiKey: string | undefined
  readonly resendBaseUrl: string | undefined
  readonly smtpUrl: string | undefined
  readonly dkim: DkimKey | undefined
}

/** The transport that the operator chose. */
export function openTransport(choice: TransportChoice, at: { folder: string; clock: Clock }): Transport {
  switch (choice.transport) {
    case 'outbox':
      return outboxTransport(at)
    case 'smtp':
      return smtpTransport({ url: choice.smtpUrl ?? '', clock: at.clock, dkim: choice.dkim })
    case 'resend':
      return resendTransport({
        apiKey: choice.resendApiKey ?? '',
        ...(choice.resendBaseUrl && { baseUrl: choice.resendBaseUrl }),
      })
  }
}
