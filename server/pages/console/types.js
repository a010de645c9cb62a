/**
 * The API's objects, as far as the console reads them (gateway-config/openapi.json has them whole).
 * Nothing is here but names for editors and readers.
 *
 * @typedef {"stopped" | "starting" | "scan_qr_code" | "working" | "failed" | "logged_out"} Status
 *
 * @typedef {object} Session
 * @property {string} id
 * @property {string} label
 * @property {Status} status
 * @property {string | null} phoneNumber
 * @property {string | null} waJid
 * @property {string | null} waLid
 * @property {boolean} autoRead
 * @property {boolean} presenceTyping
 * @property {number} ratePerMin
 * @property {number} ratePerHour
 * @property {string} gatewayId
 * @property {number} createdAt
 * @property {number | null} lastConnectedAt
 *
 * @typedef {object} Health
 * @property {Status} status
 * @property {boolean} connected
 * @property {string | null} reason
 * @property {string | null} message
 * @property {number | null} since
 * @property {number | null} lastAckAt
 * @property {number | null} lastInboundAt
 * @property {number | null} lastKeepAliveAt
 * @property {number} reconnects
 *
 * @typedef {object} Chat
 * @property {string} jid
 * @property {string} name
 * @property {"dm" | "group"} type
 * @property {number} unreadCount
 * @property {number | null} lastMessageAt
 * @property {boolean} pinned
 * @property {boolean} archived
 * @property {number | null} mutedUntil
 *
 * @typedef {object} Reaction
 * @property {string} emoji
 * @property {string} senderJid
 * @property {number} timestamp
 *
 * @typedef {object} Message
 * @property {number} id
 * @property {string} waMessageId
 * @property {string} chatJid
 * @property {string | null} chatLid
 * @property {string} senderJid
 * @property {string} type
 * @property {string} body
 * @property {boolean} fromMe
 * @property {number} ackLevel
 * @property {boolean} edited
 * @property {boolean} deleted
 * @property {boolean} hasMedia
 * @property {string | null} error
 * @property {string | null} quotedId
 * @property {string[]} mentions
 * @property {Reaction[]} reactions
 * @property {number} timestamp
 *
 * @typedef {object} Webhook
 * @property {string} id
 * @property {string} url
 * @property {string[]} events
 * @property {string | null} sessionId
 * @property {boolean} active
 * @property {Record<string, string>} customHeaders
 * @property {{policy: string, delaySeconds: number, attempts: number}} retryPolicy
 *
 * @typedef {object} Delivery
 * @property {string} id
 * @property {string} event
 * @property {"pending" | "delivered" | "dead"} state
 * @property {number} attempts
 * @property {number | null} lastStatus
 * @property {string | null} lastError
 * @property {number | null} nextAttemptAt
 * @property {number | null} deliveredAt
 * @property {number} createdAt
 *
 * @typedef {object} Event
 * @property {string} id
 * @property {string} event
 * @property {string | null} session
 * @property {string} organization
 * @property {number} timestamp
 * @property {any} payload
 */

export {};
