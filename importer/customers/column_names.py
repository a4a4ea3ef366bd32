"""What columns are called elsewhere. Data only; `vocabulary` and `matching` decide with it.

English names, and those of exports from Salesforce, HubSpot, Stripe, QuickBooks, Outlook, Excel contact lists and
Google Contacts. Names are compared by `core.contract.headers.key`: `e mail address` is also `E-mail_Address`.
"""

from __future__ import annotations

FULL_NAME = "(full name)"
"""The name of what a column with a whole name holds; not a field of the API."""
HOUSE_NUMBER = "(house number)"
"""The name of what a column with the number before or behind the street holds; not a field of the API."""

NAMES = """
type 0.95: customer type, account type, client type, entity type, customer kind, type of customer, kind

externalId 0.97: external id, external reference, external ref, legacy id, source id
externalId 0.95: customer id, customer number, customer no, client id, client number, cust id, cust no, customer ref,
    customer reference, customer code, member id, member number
externalId 0.9: contact id, record id, user id, person id, lead id, unique id, uid, uuid, guid, reference id,
    reference number, crm id, customer key, list id
externalId 0.85: id, account number, account no, account id, reference, ref, key, no, nr

firstName 0.95: first name, given name, forename, fname, first, christian name, name first, first names
middleName 0.95: middle name, middle initial, middle, mname, mi, additional name, middle names
lastName 0.95: last name, surname, family name, lname, last, name last
(full name) 0.85: name, full name, display name, customer name, client name, customer full name, customer,
    customer display name, client, complete name, name of customer, contact
prefix 0.95: prefix, salutation, name prefix, honorific
prefix 0.8: title
suffix 0.95: suffix, name suffix, generational suffix
sex 0.95: sex
gender 0.95: gender
securityQuestion 0.95: security question

primaryPhoneNumber.number 0.95: phone, phone number, telephone, telephone number, tel, tel no, primary phone,
    main phone, contact number, contact phone, phone no, phone 1 value, phone 1, phone numbers, telephone no,
    daytime phone, phone num
primaryPhoneNumber.number 0.93 MOBILE: mobile, cell, cell phone, mobile phone, mobile number, cellular, cell number,
    mobile phone number, mobile no, cell phone number, sms number
primaryPhoneNumber.number 0.9 WORK: work phone, business phone, office phone, company phone, work phone number,
    business phone number, work telephone, company main phone, office number, work number
primaryPhoneNumber.number 0.9 HOME: home phone, home phone number, home telephone, home number, landline
primaryPhoneNumber.type 0.95: phone type, phone number type, type of phone, phone 1 type, phone 1 label, telephone type,
    number type
primaryPhoneNumber.extension 0.95: extension, ext, phone extension, phone ext, telephone extension
primaryPhoneNumber.provider 0.95: phone provider, carrier, phone carrier, mobile provider, mobile carrier

primaryEmail.value 0.95: email, email address, mail, primary email, main email, e mail 1 value, email 1 value, email 1,
    electronic mail, e mail id, mail address, email addr, login email
primaryEmail.value 0.9: work email, personal email, business email, home email, work email address,
    personal email address

dateOfBirth 0.95: date of birth, dob, birth date, birthday, born, born on, birth day, date birth, birth dt
placeOfBirth.city 0.95: place of birth, city of birth, birth city, birthplace
placeOfBirth.countryCode 0.95: country of birth, birth country, country of origin
socialId 0.95 USA: ssn, social security number, social security no, social security, us ssn
socialId 0.95: national id, national id number, social id, social insurance number
socialIdCountryCode 0.95: social id country, national id country, country of national id, ssn country
citizenshipCountryCode 0.95: citizenship, nationality, citizenship country, country of citizenship, citizen of

businessName 0.98: business name, dba, dba name, doing business as, doing business as name, trade name, trading name,
    trading as, merchant name, store name, shop name, name of business
businessName 0.85: company, company name, organization, organisation, organization name, organisation name,
    account name, firm, firm name, organization 1 name
legalName 0.98: legal name, legal business name, company legal name, registered name, legal entity name,
    legal company name
website 0.95: website, web site, url, web page, homepage, home page, website url, company website, web address,
    website 1 value, site
industryCode 0.95: industry code
taxId 0.95: tax id, tax id number, tax identification number, tin, tax number, company tax id, business tax id
taxId 0.95 USA: ein, fein, federal tax id, federal ein, employer identification number, irs number
taxIdCountryCode 0.95: tax id country, tax country
registeredStateCode 0.95: registered state, state of registration, state of incorporation, incorporation state,
    registration state
"""
"""Field, how sure a name alone makes us (0 to 1), what the name implies (see IMPLIED), and the names."""

IMPLIED = {
    "primaryPhoneNumber.number": "primaryPhoneNumber.type",
    "socialId": "socialIdCountryCode",
    "taxId": "taxIdCountryCode",
}
"""Which field a name such as `Mobile` or `SSN` decides at the same time."""

CONTACT_NAMES = """
firstName 0.95: first name, given name, forename
middleName 0.95: middle name, middle initial
lastName 0.95: last name, surname, family name
(full name) 0.95: , name, full name, person
primaryEmail.value 0.95: email, email address, mail
primaryPhoneNumber.number 0.95: phone, phone number, telephone
primaryPhoneNumber.number 0.93 MOBILE: mobile, cell phone
primaryPhoneNumber.type 0.95: phone type
primaryPhoneNumber.extension 0.95: phone extension, extension
"""
"""What is behind one of CONTACT_WORDS."""

CONTACT_WORDS = ("contact", "contact person", "main contact", "primary contact", "key contact")
"""Words before a person's field that make the person a business's contact."""

ADDRESS_WORDS = """
mailing 0.95: , mail, postal, correspondence, address, address 1, current, default, default address
mailing 0.97: mailing, mailing address
mailing 0.9: billing, billing address, bill to
mailing 0.7: card address, other
physical 0.97: physical, physical address
physical 0.93: residential, residential address, residence
physical 0.92: home, home address, registered, legal
physical 0.88: business, business address, company, office, work
shipping 0.97: shipping, shipping address
shipping 0.95: ship to, ship, delivery, delivery address
"""
"""The API's address, how sure the words make us, and the words that its columns begin with."""

ADDRESS_NAMES = """
streetLine1 1: street, street address, address, address line 1, address 1, addr 1, addr, street 1, line 1,
    street line 1, address line, street name, street and number
(house number) 1: house number, house no, street number, street no, building number, house nr
streetLine2 1: street 2, address line 2, address 2, addr 2, line 2, street line 2, extended address, street address 2
streetLine3 1: street 3, address line 3, address 3, addr 3, line 3, street line 3, street address 3
streetLine4 1: street line 4, address line 4, line 4
streetLine5 1: street line 5, address line 5, line 5
apartmentNumber 1: apartment, apartment number, apt, apt number, unit, unit number, apt no, suite, flat
cityName 1: city, city name, town, locality, municipality, suburb, city town, town city
stateCode 1: state, state code, province, region, state province, state region, state or province, province code,
    state province code, us state, state abbreviation, st, province state, county state, state region code
countryCode 1: country, country code, country region, country name, nation, country iso, country region code, ctry
zipCode 1: zip, zip code, postal code, postcode, zip postal code, zip postal, zip 4, zip or postal code,
    postal zip code, zip postcode, pin code
name.firstName 1: first name, name first name
name.middleName 1: middle name, name middle name
name.lastName 1: last name, name last name
(full name) 1: name, recipient, attention, attn, contact name, contact
"""
"""What is behind one of ADDRESS_WORDS."""

NOT_OURS = """
county, fax, fax number, home fax, business fax, pager, telex, assistant phone, assistants phone, assistant, created,
modified, created at, updated at, created date, last modified date, last activity, owner, owner email, record type,
status, notes, comments, description, job title, department, email opt out, do not call, balance, currency, age,
spouse, children, username, password, language, time zone, lead source, source, tags, labels, email type, e mail 1 type,
e mail 1 label, address 1 type, address 1 label, address type, phone 2 value, e mail 2 value
"""
"""Columns that look near to one of ours, and are something else: never matched by spelling or content."""

OTHER_PEOPLE = """
assistant assistants owner agent rep representative manager spouse emergency referral referrer referred parent guardian
sales created updated modified deleted last previous former alternate alternative secondary backup fax opt consent
status count total amount balance
"""
"""Words that make a column of addresses, numbers or dates somebody else's, or something else's."""

HONORIFICS = "mr mrs ms miss mx dr prof professor sir madam rev hon mme herr frau"
