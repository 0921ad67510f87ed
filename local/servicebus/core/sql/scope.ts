// What an expression can see of a message.
import type { SqlValue } from './values.ts';

/** System properties by their names in SQL, and those in a message. `Subject` and `Label` are the same. */
export const systemNames = {
  contenttype: 'contentType',
  correlationid: 'correlationId',
  label: 'subject',
  subject: 'subject',
  messageid: 'messageId',
  replyto: 'replyTo',
  replytosessionid: 'replyToSessionId',
  sessionid: 'sessionId',
  to: 'to',
} as const;

export type SystemName = (typeof systemNames)[keyof typeof systemNames];

/** Undefined is unknown: the message does not have the property. */
export interface Scope {
  system(name: SystemName): string | undefined;
  /** Names are compared without case. */
  user(name: string): SqlValue | undefined;
  newId(): string;
}
