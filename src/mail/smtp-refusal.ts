import { z } from 'zod'
import type { SendOutcome } from './email.ts'
import { reason } from './reason.ts'

/** What nodemailer 10 puts on an error: `code` is the step that failed, `command` where, `responseCode` what the server said if it did. */
type SmtpError = z.infer<typeof smtpError>

const smtpError = z.object({
  message: z.string().catch(''),
  code: z.string().catch(''),
  originalCode: z.string().catch(''),
  command: z.string().catch(''),
  responseCode: z.number().catch(0),
})

/**
 * A failed call as an outcome. `begun` tells whether a byte of the message had been handed to the connection, which the
 * error itself does not: a lost connection is reported alike before and after DATA. First row that fits:
 *
 * | what failed                                                           | outcome  |
 * |-----------------------------------------------------------------------|----------|
 * | message begun, and the server has not refused it (lost, late, unclear) | unknown  |
 * | any reply of 4xx, and 503 (the session, not the mail)                 | retry    |
 * | sign-in, TLS, a certificate, a name that does not exist               | halt     |
 * | 5xx before the sender was taken (greeting, EHLO), or of the sender    | halt     |
 * | 5xx of the recipient or the content; 552 at MAIL FROM (too big)       | rejected |
 * | an address that nodemailer itself refuses                             | rejected |
 * | refused, reset or late before the message                             | retry    |
 *
 * Sources: RFC 5321 section 4.2.1, nodemailer/dist/esm/smtp-connection.
 */
export function classifyFailure(thrown: unknown, begun: boolean): SendOutcome {
  const error = smtpError.parse(thrown instanceof Error ? { ...thrown, message: thrown.message } : {})
  const said = reason(error.message)
  if (begun && !refusesMessage(error)) return { kind: 'unknown', reason: said }
  if (isPassing(error)) return again(said)

  const mend = whatToMend(error)
  if (mend) return { kind: 'halt', reason: `${mend} (${said})` }
  return error.code === 'EENVELOPE' || error.code === 'EMESSAGE'
    ? { kind: 'rejected', reason: said }
    : again(said)
}

function refusesMessage({ code, responseCode }: SmtpError): boolean {
  return code === 'EMESSAGE' && responseCode >= 400
}

function isPassing({ code, originalCode, responseCode }: SmtpError): boolean {
  if (responseCode >= 400 && responseCode < 500) return true
  if (responseCode === 503) return true
  return code === 'EDNS' && originalCode !== 'ENOTFOUND'
}

function whatToMend(error: SmtpError): string | undefined {
  if (
    ['EAUTH', 'ENOAUTH', 'EOAUTH2'].includes(error.code) ||
    [530, 534, 535, 538].includes(error.responseCode)
  ) {
    return 'The mail server does not accept our sign-in: check user and password in SMTP_URL'
  }
  if (error.code === 'EDNS') return 'The name of the mail server does not exist: check the host in SMTP_URL'
  if (error.code === 'ETLS' || error.code === 'EREQUIRETLS' || certificate.test(error.originalCode)) {
    return 'No safe connection to the mail server: check its certificate, and the port and scheme in SMTP_URL'
  }
  if (error.responseCode < 500) return undefined
  if (error.command === 'MAIL FROM' && error.responseCode !== 552) {
    return 'The mail server refuses the sender: check MAIL_FROM, and what this server may send for'
  }
  if (!['EENVELOPE', 'EMESSAGE'].includes(error.code))
    return 'The mail server does not talk to us: ask who runs it'
}

const certificate = /^(?:ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|EPROTO$)/

function again(said: string): SendOutcome {
  return { kind: 'retry', after: Temporal.Duration.from({ seconds: 60 }), reason: said }
}
