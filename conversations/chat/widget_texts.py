"""Every sentence of the chat widget. The server sends them, so the widget speaks the language of its entry point."""

from django.utils.translation import gettext as _

from conversations.services import consent_texts


def greeting_without_assistant(company: str, answers: str, *, is_open: bool) -> str:
    """What stands in an empty chat where the AI agent does not answer everybody, in the active language.

    `answers` is as `selectors.roll_out.who_answers` says, `is_open` whether people are there now.
    """
    hello = _("Hello, this is the chat of %(company)s.") % {"company": company}
    if answers == "either":
        return f"{hello} " + _("Our AI agent or one of our team answers you here.")
    if is_open:
        return f"{hello} " + _("One of our team answers you here as soon as somebody is free.")
    return f"{hello} " + _("Nobody of our team is here at the moment. Write to us all the same: they read it when they are back.")


def widget_texts() -> dict[str, str]:
    """The sentences by name, in the active language. Words in braces are filled in by the widget."""
    return {
        # Launcher and header
        "open": _("Open chat"),
        "close": _("Close chat"),
        "unread": _("{count} unread"),
        "otherWays": _("Other ways to reach us"),
        "continueByPhone": _("Continue by phone"),
        "talkToPerson": _("Talk to a person"),
        "askForPerson": _("I would like to talk to a person."),
        # Who is there
        "stateAssistant": _("AI agent, answers at once"),
        "stateEither": _("Our AI agent or our team answers"),
        "stateTeam": _("Our team answers here"),
        "teamBack": _("Our team is back {time}"),
        "teamAway": _("Our team is away now"),
        "statePerson": _("{name} is with you"),
        "peopleBack": _("people from {time}"),
        "peopleAway": _("people are away now"),
        "stateWaiting": _("A person will join you"),
        "stateClosed": _("This chat has ended"),
        "closedUntil": _("Closed until {time}"),
        "assistant": _("AI agent"),
        "automatic": _("Automatic message"),
        "person": _("Our team"),
        "you": _("You"),
        "isTyping": _("{name} is typing"),
        # Who is signed in
        "signedIn": _("Signed in"),
        "signedInAs": _("Signed in as {name}"),
        "notYou": _("Not you? Start afresh"),
        # History
        "history": _("Conversation"),
        "newMessages": _("New messages"),
        "sources": _("Sources"),
        "removed": _("A message was removed."),
        "onCall": _("on the phone"),
        "callStarted": _("You called us"),
        "callEnded": _("The call ended"),
        "conversationClosed": _("This conversation is closed. Write to us again at any time."),
        "bookingMade": _("Visit booked"),
        "bookingChanged": _("Visit changed"),
        "bookingCancelled": _("Visit cancelled"),
        "reference": _("Reference"),
        # Writing
        "composerLabel": _("Your message"),
        "placeholder": _("Write a message"),
        "send": _("Send"),
        "sending": _("Sending"),
        "sent": _("Sent"),
        "notSent": _("Not sent."),
        "editMessage": _("Edit"),
        "sendAgain": _("Send again"),
        "tooLong": _("This is {length} characters long. Please send at most {most} at a time."),
        "lettersLeft": _("{left} characters left"),
        "quickReplies": _("Suggested answers"),
        "fieldSend": _("Continue"),
        "fieldEmpty": _("Please fill in: {label}"),
        "fieldWrong": _("That does not look right yet. Please check: {label}"),
        # The line
        "connecting": _("Reconnecting. What you write is kept and sent as soon as the line is back."),
        "offline": _("You are offline. What you write is kept and sent when you are back."),
        "unavailable": _("The chat is not available on this page. Please call us instead:"),
        "unavailableWithoutPhone": _("The chat is not available on this page. Please try another way to reach us."),
        "dismiss": _("Dismiss"),
        # Continue by phone
        "phoneHow": _("Call this number, then key in the code. We carry on where you are now, without asking again."),
        "phoneNumber": _("Number"),
        "phoneCode": _("Code"),
        "phoneMinutesLeft": _("The code is good for {minutes} minutes and one call."),
        "phoneMinuteLeft": _("The code is good for one more minute."),
        "phoneExpired": _("The code has run out."),
        "phoneNewCode": _("Get a code"),
        "phoneWaiting": _("Getting a code for you"),
        "phoneOffline": _("You are not connected at the moment, so there is no code yet."),
        "phoneSimulator": _("Call from the phone simulator"),
        "callMe": _("Call me"),
        "callMeHow": _("Or we call you. On which number?"),
        "callMeNote": str(consent_texts.CALL_ME),
        "callWaiting": _("Placing the call"),
        "callingNow": _("We are calling {number} now. When the call asks for it, key in this code."),
        "callSimulator": _("Answer on the phone simulator"),
        "phoneClose": _("Close"),
    }
