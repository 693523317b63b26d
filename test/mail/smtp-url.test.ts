import { describe, expect, it } from 'vitest'
import { smtpTransport } from '../../src/mail/smtp.ts'
import { readSmtpUrl } from '../../src/mail/smtp-url.ts'

describe('SMTP_URL', () => {
  it('says where, as whom, and how hard', () => {
    expect(
      readSmtpUrl(
        'smtp://desk%40example.com:p%3Ass@mail.example.com:587?connections=12&messages=500&rate=40',
      ),
    ).toEqual({
      ...{ host: 'mail.example.com', port: 587, secure: false, needsTls: true },
      signIn: { user: 'desk@example.com', pass: 'p:ss' },
      ...{ connections: 12, mailsEach: 500, perSecond: 40 },
    })
  })

  it('needs no more than a host', () => {
    expect(readSmtpUrl('smtps://mail.example.com')).toEqual({
      ...{ host: 'mail.example.com', port: undefined, secure: true, needsTls: true, signIn: undefined },
      ...{ connections: 5, mailsEach: 100, perSecond: undefined },
    })
  })

  it.each([
    ['smtp://mail.example.com', true],
    ['smtp://mail.example.com?tls=opportunistic', false],
    ['smtp://127.0.0.1:2525', false],
    ['smtp://[::1]', false],
    ['smtp://localhost', false],
    ['smtp://localhost?tls=required', true],
    ['smtp://localhost.example.com', true],
  ])('%s needs TLS: %s', (url, needsTls) => {
    expect(readSmtpUrl(url)).toMatchObject({ needsTls })
  })

  it.each([
    ['mail.example.com:25', 'expected smtp://user:password@host:port'],
    ['http://mail.example.com', 'expected smtp://user:password@host:port'],
    ['smtp://mail.example.com?pool=true', 'takes nothing after the ? but connections, messages, rate, tls'],
    ['smtp://mail.example.com?connections=0', 'connections is a whole number from 1 to 100'],
    ['smtp://mail.example.com?connections=1e2', 'connections is a whole number from 1 to 100'],
    ['smtp://mail.example.com?connections=101', 'connections is a whole number from 1 to 100'],
    ['smtp://mail.example.com?messages=-1', 'messages is a whole number from 1 to 100000'],
    ['smtp://mail.example.com?rate=fast', 'rate is a whole number of mails a second from 1 to 100000'],
    ['smtp://mail.example.com?tls=no', 'tls is required or opportunistic'],
  ])('%s is refused', (url, problem) => {
    expect(readSmtpUrl(url)).toEqual({ problem })
    expect(() => smtpTransport({ url, clock: () => Temporal.Now.instant() })).toThrow(problem)
  })
})
