"""What columns are called that steps after the create send: limits, beneficial owners, documents. Data only.

The tables are written as those of `column_names`. A credit limit, or one of withdrawals, is not a limit of ours.
"""

from __future__ import annotations

LIMITS = """
single 0.95: single limit, transaction limit, per transaction limit, limit per transaction, max per transaction,
    maximum per transaction, max transaction, max transaction amount, max single transaction, transaction max,
    single transaction max
daily 0.95: limit per day, per day limit, day limit, max per day, maximum per day, daily max, daily maximum, daily cap,
    daily transaction limit, daily spending limit, daily spend limit, max daily, max daily amount, limit daily
weekly 0.95: limit per week, per week limit, week limit, max per week, maximum per week, weekly max, weekly maximum,
    weekly cap, weekly transaction limit, weekly spending limit, weekly spend limit, max weekly, max weekly amount,
    limit weekly
monthly 0.95: limit per month, per month limit, month limit, max per month, maximum per month, monthly max,
    monthly maximum, monthly cap, monthly transaction limit, monthly spending limit, monthly spend limit, max monthly,
    max monthly amount, limit monthly
"""
"""The kind of limit, how sure a name alone makes us, and the names; each also with a currency behind it."""

LIMIT_CURRENCY = """
limits.currency 0.95: limit currency, limits currency, currency of limit, currency of limits, limit ccy,
    transaction limit currency
"""

OWNER_WORDS = ("ubo", "beneficial owner", "ultimate beneficial owner", "bo", "owner", "beneficiary")
"""Words with a number behind them that make a person a beneficial owner."""
FIRST_OWNER_WORDS = ("ubo", "beneficial owner", "ultimate beneficial owner")
"""Those that need no number: the person is the first one. An `owner` alone is somebody else in many programs."""

OWNER_NAMES = """
firstName 0.95: first name, given name, forename, first
middleName 0.95: middle name, middle initial
lastName 0.95: last name, surname, family name, last
(full name) 0.9: , name, full name
sex 0.95: sex
dateOfBirth 0.95: dob, date of birth, birth date, birthday, birthdate
placeOfBirth.city 0.95: place of birth, city of birth, birthplace
placeOfBirth.countryCode 0.95: country of birth, birth country
socialId 0.95 USA: ssn, social security number, social security no, social security
socialId 0.95: national id, national id number
socialIdCountryCode 0.95: national id country, country of national id, ssn country
citizenshipCountryCode 0.95: citizenship, nationality, country of citizenship
title 0.95: title, job title, position, role
ownershipPercentage 0.95: ownership, ownership percentage, ownership percent, ownership pct, percentage, percent, share,
    shareholding, stake, percent owned, percentage owned, percent ownership, percentage of ownership, equity
controller 0.95: controller, is controller, control person, control prong, controlling person
primaryEmail.value 0.95: email, email address, mail
primaryPhoneNumber.number 0.95: phone, phone number, telephone
primaryPhoneNumber.number 0.93 MOBILE: mobile, cell, cell phone, mobile phone
primaryPhoneNumber.type 0.95: phone type
addresses.physical.streetLine1 0.95: street, address, street address, home address, address line 1, address 1, street 1
addresses.physical.streetLine2 0.95: street 2, address line 2, address 2
addresses.physical.apartmentNumber 0.95: apartment, apt, unit
addresses.physical.cityName 0.95: city, town
addresses.physical.stateCode 0.95: state, province
addresses.physical.zipCode 0.95: zip, zip code, postal code, postcode
addresses.physical.countryCode 0.95: country
"""
"""What is behind one of OWNER_WORDS and a number."""

DOCUMENT_WORDS = """
passport 0.95: passport, reisepass, passeport, pasaporte, passaporto, paspoort, passaporte
drivingLicense 0.95: driving license, driving licence, drivers license, drivers licence, driver license, driver licence,
    dl
"""
"""The document that a person is identified by, how sure the words make us, and the words."""

DOCUMENT_NAMES = """
file 1: scan, file, copy, image, photo, picture, document, pdf, upload, file name, scan file
number 1: number, no, num, nr
issuingCountryCode 1: country, issuing country, country of issue, issue country, country of issuance
issuingStateCode 1: state, issuing state, state of issue, issue state
issuingDate 1: issue date, issued, issued on, issuing date, date of issue, issuance date
expiryDate 1: expiry, expiry date, expiration, expiration date, expires, expires on, exp date, exp, valid until,
    valid to, date of expiry
"""
"""What is behind one of DOCUMENT_WORDS, or before it with `of`."""

RECORDS = """
documents.other.file 0.95: id document, identity document, identification document, id scan, id copy, id file,
    proof of address, proof of address file, proof of address document, utility bill
documents.formation.file 0.95: formation document, formation documents, formation file, certificate of formation,
    certificate of incorporation, incorporation document, articles of incorporation, articles of organization,
    articles of association
documents.tax.file 0.95: tax document, tax documents, tax file, ein letter, ein confirmation letter, irs letter, w9,
    w 9 form, w9 form
documents.ownership.file 0.95: ownership document, ownership documents, ownership file, ownership chart,
    ownership structure, cap table, shareholder register, register of shareholders
"""
"""Documents that need a description; the column's name becomes it."""
